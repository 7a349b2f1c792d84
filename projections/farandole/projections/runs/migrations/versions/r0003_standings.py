"""How many runs there are of each status."""

from alembic import op
from sqlalchemy import BigInteger, Column, PrimaryKeyConstraint, Text

from farandole.projections.runs.standings import STATUSES, keep_standings

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    standings = op.create_table(
        "standings",
        Column("status", Text(), autoincrement=False, nullable=False),
        Column("runs", BigInteger(), nullable=False),
        PrimaryKeyConstraint("status"),
    )
    op.bulk_insert(standings, [{"status": status, "runs": 0} for status in STATUSES])
    keep_standings(op.get_bind())
