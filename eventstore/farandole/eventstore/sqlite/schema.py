"""The tables of a store's file, and the checks that it is one.

Records are kept in batches, as Kafka keeps them: one row for what was committed together in one partition. So a commit
of a hundred appends inserts a row for each partition, and a reader gets them all in one step.
"""

import secrets
import sqlite3
from pathlib import Path
from typing import Final, NamedTuple

from farandole.eventstore.errors import StoreMisconfigured

APPLICATION_ID: Final = 0x46415241  # "FARA", shown by file(1) and PRAGMA application_id
VERSION: Final = 2

_CUT: Final = """
CREATE TABLE cut (
    log INTEGER NOT NULL,
    partition INTEGER NOT NULL,
    first INTEGER NOT NULL,  -- offset below which records were deleted
    time INTEGER NOT NULL,   -- the last stamp when they were, milliseconds since 1970 UTC
    PRIMARY KEY (log, partition)
) STRICT, WITHOUT ROWID;
"""
_SINCE: Final = {1: _CUT}
"""What files of earlier versions lack."""
_TABLES: Final = (
    _CUT
    + """
CREATE TABLE log (
    id INTEGER PRIMARY KEY,
    choreography TEXT NOT NULL UNIQUE,
    partitions INTEGER NOT NULL,
    identity BLOB NOT NULL
) STRICT;
CREATE TABLE batch (
    log INTEGER NOT NULL,
    partition INTEGER NOT NULL,
    first INTEGER NOT NULL,  -- offset of the first record
    next INTEGER NOT NULL,   -- offset after the last one
    time INTEGER NOT NULL,   -- milliseconds since 1970 UTC
    records BLOB NOT NULL,   -- see farandole.eventstore.sqlite.packing
    PRIMARY KEY (log, partition, first)
) STRICT, WITHOUT ROWID;
CREATE TABLE entry (
    log INTEGER NOT NULL,
    tab TEXT NOT NULL,       -- catalogue, checkpoints
    key BLOB NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (log, tab, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE rejected (
    id INTEGER PRIMARY KEY,
    log INTEGER NOT NULL,
    partition INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    time INTEGER NOT NULL,
    record BLOB NOT NULL,
    UNIQUE (log, partition, offset)
) STRICT;
CREATE TABLE member (
    log INTEGER NOT NULL,
    service TEXT NOT NULL,
    name TEXT NOT NULL,
    incarnation TEXT NOT NULL,
    until INTEGER NOT NULL,  -- end of the lease, milliseconds since 1970 UTC
    session INTEGER NOT NULL,  -- length of the lease, milliseconds
    PRIMARY KEY (log, service, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE owner (
    log INTEGER NOT NULL,
    service TEXT NOT NULL,
    partition INTEGER NOT NULL,
    member TEXT NOT NULL,
    PRIMARY KEY (log, service, partition)
) STRICT, WITHOUT ROWID;
"""
)


class LogRow(NamedTuple):
    """One choreography's log in the file."""

    id: int
    partitions: int
    identity: bytes
    """16 random bytes that no other log has."""


def check_file(connection: sqlite3.Connection, path: Path) -> int:
    """The version of our tables in the file; 0 if it is empty. Changes nothing. To be called in a transaction.

    Raises:
        StoreMisconfigured: it holds something else, or was written by a later version.
    """
    [application] = connection.execute("PRAGMA application_id").fetchone()
    [version] = connection.execute("PRAGMA user_version").fetchone()
    [tables] = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if application == APPLICATION_ID and version:
        if version > VERSION:
            raise StoreMisconfigured(
                f"{path} has tables of version {version}, and this Farandole knows up to {VERSION}: upgrade Farandole"
            )
        return int(version)
    if application or version or tables:
        raise StoreMisconfigured(f"{path} is an SQLite database of something else: name another file")
    return 0


def look_at_file(connection: sqlite3.Connection, path: Path) -> int:
    """As `check_file`, of one moment: another process may just be making the tables.

    Raises:
        StoreMisconfigured: it holds something else, or was written by a later version.
    """
    connection.execute("BEGIN")
    try:
        return check_file(connection, path)
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def make_tables(connection: sqlite3.Connection, path: Path) -> None:
    """Make the tables, or those that the file of an earlier version lacks, unless another process just did."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = check_file(connection, path)
        if version < VERSION:
            for statement in (_TABLES if not version else _SINCE[version]).split(";")[:-1]:
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def find_log(connection: sqlite3.Connection, choreography: str) -> LogRow | None:
    row = connection.execute(
        "SELECT id, partitions, identity FROM log WHERE choreography = ?", (choreography,)
    ).fetchone()
    return LogRow(*row) if row else None


def make_log(connection: sqlite3.Connection, choreography: str, partitions: int) -> None:
    """Make the log of a choreography, unless another process just did."""
    connection.execute(
        "INSERT OR IGNORE INTO log (choreography, partitions, identity) VALUES (?, ?, ?)",
        (choreography, partitions, secrets.token_bytes(16)),
    )
