"""How the tables came to be as they are, step by step: Alembic, run from the package, inside the caller's transaction."""

from pathlib import Path
from threading import Lock
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

_ONE_AT_A_TIME: Final = Lock()
"""What migrations refer to as ``op`` and ``context``, Alembic keeps once for the whole process."""
VERSIONS: Final = "farandole_version"
"""The table in which Alembic keeps which step was taken last."""


def steps_missing(connection: Connection) -> bool:
    """Whether tables that were made are not as this release makes them: steps were not taken, or were that it does not
    know.
    """
    here = MigrationContext.configure(connection, opts={"version_table": VERSIONS}).get_current_heads()
    return set(here) != set(ScriptDirectory.from_config(_config()).get_heads())


def migrate(connection: Connection) -> None:
    """Make the tables, or bring them up to date."""
    config = _config()
    config.attributes["connection"] = connection
    with _ONE_AT_A_TIME:
        command.upgrade(config, "heads")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config
