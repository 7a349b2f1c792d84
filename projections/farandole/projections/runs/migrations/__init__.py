"""How the tables came to be as they are, step by step: Alembic, run from the package, inside the caller's transaction."""

from pathlib import Path
from threading import Lock
from typing import Final

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

_ONE_AT_A_TIME: Final = Lock()
"""What migrations refer to as ``op`` and ``context``, Alembic keeps once for the whole process."""
VERSIONS: Final = "farandole_version"
"""The table in which Alembic keeps which step was taken last."""


def migrate(connection: Connection) -> None:
    """Make the tables, or bring them up to date."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    with _ONE_AT_A_TIME:
        command.upgrade(config, "heads")
