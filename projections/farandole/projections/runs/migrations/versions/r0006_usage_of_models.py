"""What was used of models, by run, agent and model."""

from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, Integer, PrimaryKeyConstraint, Text

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "usage",
        Column("partition", Integer(), autoincrement=False, nullable=False),
        Column("log_offset", BigInteger(), autoincrement=False, nullable=False),
        Column("number", Integer(), autoincrement=False, nullable=False),
        Column("run", BigInteger(), nullable=False),
        Column("at", BigInteger(), nullable=False),
        Column("reactor", Text(), nullable=False),
        Column("agent", Text(), nullable=False),
        Column("model", Text(), nullable=False),
        Column("calls", BigInteger(), nullable=False),
        Column("input_tokens", BigInteger(), nullable=False),
        Column("output_tokens", BigInteger(), nullable=False),
        Column("cache_read_tokens", BigInteger(), nullable=False),
        Column("cache_write_tokens", BigInteger(), nullable=False),
        Column("picodollars", BigInteger(), nullable=True),
        Column("admitted", Boolean(), nullable=False),
        PrimaryKeyConstraint("partition", "log_offset", "number"),
    )
    op.create_index("usage_by_run", "usage", ["partition", "run"])
    op.create_index("usage_by_time", "usage", ["at"])
