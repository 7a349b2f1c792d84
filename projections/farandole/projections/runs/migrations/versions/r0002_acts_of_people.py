"""What people did is found without looking at all records."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    named = sa.text('"by" IS NOT NULL')
    op.create_index(
        "records_by_people", "records", ["at", "partition", "log_offset"], sqlite_where=named, postgresql_where=named
    )
