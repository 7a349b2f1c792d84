"""Open runs are found in the order in which they moved, those that stand longest first."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    is_open = sa.text("closed IS NULL")
    op.create_index(
        "runs_open", "runs", ["touched", "partition", "run"], if_not_exists=True, sqlite_where=is_open, postgresql_where=is_open
    )  # fmt: skip
