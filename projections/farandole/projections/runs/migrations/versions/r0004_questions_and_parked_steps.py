"""A question is found by its id, and what a failure parks by the failure."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("decisions_by_id", "decisions", ["id"])
    parked = sa.text("state = 'parked'")
    op.create_index(
        "steps_parked", "steps", ["partition", "run", "parked_by"], sqlite_where=parked, postgresql_where=parked
    )
