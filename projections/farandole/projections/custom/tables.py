"""What is known of projections in a database: which are there, up to where they are true, and what they passed over."""

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, Integer, MetaData, Table, Text

from farandole.projections.sql.database import schema_beside

from .logs import SEPARATOR

metadata: Final = MetaData()

projections: Final = Table(
    "projections",
    metadata,
    Column("name", Text, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("state", Text, nullable=False),  # live, stopped
    Column("error", Text, nullable=False),  # why it is stopped
    Column("changed", Boolean, nullable=False),  # its code is not the one that the first rows were made by
    Column("fingerprint", Text, nullable=False),
    Column("made", Text, nullable=False),  # by name, how its tables were made; JSON
)

positions: Final = Table(
    "projection_positions",
    metadata,
    Column("part", Text, primary_key=True),  # projection.version/choreography/partition
    Column("projection", Text, nullable=False, index=True),
    Column("choreography", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("digest", Text, nullable=False),
    Column("log_time", BigInteger, nullable=False),
)

errors: Final = Table(
    "projection_errors",
    metadata,
    Column("projection", Text, primary_key=True),
    Column("choreography", Text, primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("log_offset", BigInteger, primary_key=True),
    Column("run_id", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("handler", Text, nullable=False),
    Column("error", Text, nullable=False),
    Column("at", BigInteger, nullable=False),  # log time, in milliseconds since 1970 UTC
)

stops: Final = Table(
    "projection_stops",
    metadata,
    Column("projection", Text, primary_key=True),
    Column(
        "part", Text, nullable=False
    ),  # choreography/partition; empty: it was another version that could not be built
    Column("position", BigInteger, nullable=False),  # once the rows are here, they have gone past
)
"""Where each projection stands that is stopped."""

keepers: Final = Table(
    "projection_keepers",
    metadata,
    Column("projection", Text, primary_key=True),
    Column("keeper", Text, primary_key=True),  # the process
    Column("seen", BigInteger, nullable=False),  # when it said so last, by the database's clock; 0: it has left
)
"""Who keeps each projection."""

OURS: Final = frozenset(metadata.tables)

PLACE: Final = "custom"
"""Of the place beside the tables of runs, in PostgreSQL."""


def place_beside(schema: str) -> str:
    """The schema of PostgreSQL in which projections are.

    Args:
        schema: of the tables of runs.
    """
    return schema_beside(schema, PLACE)


def key_of(projection: str, version: int, part: str) -> str:
    """Under which key its place in a part of a log is kept. Of another version it is another, so that two versions never
    write to one table.

    Args:
        part: ``choreography/partition``; empty: what all its keys begin with.
    """
    return f"{projection}.{version}{SEPARATOR}{part}"
