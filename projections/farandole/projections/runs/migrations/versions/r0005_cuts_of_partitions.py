"""What has left the tables is known of each partition by itself: one in which nothing happens holds up no other."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("positions", sa.Column("kept_since", sa.BigInteger(), nullable=False, server_default="0"))
    op.execute(
        "UPDATE positions SET kept_since = (SELECT max(kept_since) FROM about) WHERE EXISTS (SELECT 1 FROM about)"
    )
    # A server of the former release that still runs asks for the old column: it stays, and has a default from now on.
    with op.batch_alter_table("about") as about:
        about.alter_column("kept_since", server_default="0")
