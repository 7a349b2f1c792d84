"""SQLite's errors, told as the store's: what is certain, what is wrong, and the cure.

A commit in WAL mode writes its pages one after the other, the mark that makes them count last, and then syncs. So when
a write fails, for want of space or otherwise, nothing was appended; when the sync fails, nobody can tell.
"""

import sqlite3
from pathlib import Path

from farandole.eventstore.errors import (
    AppendError,
    AppendUnknown,
    NotAppended,
    StoreError,
    StoreMisconfigured,
    StoreUnavailable,
)


def primary(error: sqlite3.Error) -> int:
    """SQLite's primary result code."""
    return int(getattr(error, "sqlite_errorcode", 0) or 0) & 0xFF


def is_busy(error: sqlite3.Error) -> bool:
    return primary(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def breaks_connection(error: sqlite3.Error) -> bool:
    """Whether it is better to open the file anew than to go on with this connection."""
    return primary(error) in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def not_written(error: sqlite3.Error, path: Path, patience: float) -> AppendError:
    """What a failed write means."""
    told = explain(error, path, patience)
    if getattr(error, "sqlite_errorcode", 0) in (
        sqlite3.SQLITE_IOERR_FSYNC,
        sqlite3.SQLITE_IOERR_DIR_FSYNC,
        sqlite3.SQLITE_IOERR_CLOSE,
    ):
        return AppendUnknown(f"{told}. The disk did not confirm the write: append the same bytes again")
    return NotAppended(f"nothing was appended: {told}")


def not_read(error: sqlite3.Error, path: Path, patience: float) -> StoreError:
    """What a failed read, or a failed opening, means."""
    told = explain(error, path, patience)
    if primary(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL):
        return StoreUnavailable(told)
    return StoreMisconfigured(told)


def explain(error: sqlite3.Error, path: Path, patience: float) -> str:
    """The error in words, with the cure."""
    said = f"{path}: {error}"
    match primary(error):
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return (
                f"{said}, for longer than {patience:g} s: another process keeps its transaction open. "
                "End that process or its transaction, or say ?patience=…"
            )
        case sqlite3.SQLITE_FULL:
            return f"{said}: make room on its file system; the store goes on by itself"
        case sqlite3.SQLITE_IOERR:
            code = getattr(error, "sqlite_errorname", "SQLITE_IOERR")
            return f"{said} ({code}): look at the disk, its quota and the file size limit"
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_AUTH:
            return f"{said}: this process must be able to write the file and its directory"
        case sqlite3.SQLITE_NOTADB:
            return f"{said}: name another file, or restore this one from a backup"
        case sqlite3.SQLITE_CORRUPT:
            return f"{said}: the file is damaged; restore it from a backup, with its -wal file if there is one"
        case _:
            return said
