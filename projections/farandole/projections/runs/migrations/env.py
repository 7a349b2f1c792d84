"""What Alembic runs: it is given a connection, in whose transaction all of it happens."""

from alembic import context

from farandole.projections.runs.migrations import VERSIONS
from farandole.projections.runs.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, version_table=VERSIONS)
context.run_migrations()
