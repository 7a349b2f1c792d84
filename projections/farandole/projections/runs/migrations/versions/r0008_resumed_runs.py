"""When a run was resumed: what it owes could not begin before."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("runs", sa.Column("resumed", sa.BigInteger(), nullable=True))
