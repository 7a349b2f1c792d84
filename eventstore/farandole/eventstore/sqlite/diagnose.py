"""What `farandole doctor` says of a log in SQLite: each finding with its cause and its cure."""

import asyncio
import os
import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Final

from farandole.eventstore.errors import StoreError
from farandole.eventstore.finding import Finding

from .schema import look_at_file
from .settings import Settings, read_url

_LITTLE: Final = 256 << 20
_NONE: Final = 16 << 20
_SLOW_LOCK: Final = 0.5


async def diagnose(url: str) -> list[Finding]:
    """Look at a file and at the disk it is on. Changes nothing; raises no store errors."""
    return await asyncio.to_thread(_diagnose, url)


def _diagnose(url: str) -> list[Finding]:
    try:
        settings = read_url(url)
    except StoreError as e:
        return [Finding("store", "error", str(e))]
    path = settings.path
    if not path.parent.is_dir():
        return [Finding("file", "error", f"there is no directory {path.parent}", "make it")]
    disk = _disk(path.parent)
    if not path.exists():
        return [Finding("file", "warning", f"there is no file {path}", "start a worker, which makes it"), disk]
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True, timeout=0, isolation_level=None)) as sqlite:
            return [*_file(sqlite, path), _durability(settings), _lock(sqlite, settings), disk]
    except StoreError as e:
        return [Finding("file", "error", str(e)), disk]
    except sqlite3.Error as e:
        if not os.access(path, os.W_OK) or not os.access(path.parent, os.W_OK):
            said = f"{path} or its directory cannot be written, which looking at it needs too ({e})"
            return [Finding("file", "error", said, "give this user write permission on both"), disk]
        return [
            Finding("file", "error", f"{path} cannot be read ({e})", "check its permissions, or restore a backup"),
            disk,
        ]


def _file(sqlite: sqlite3.Connection, path: Path) -> list[Finding]:
    ours = look_at_file(sqlite, path)
    [mode] = sqlite.execute("PRAGMA journal_mode").fetchone()
    beside = path.with_name(f"{path.name}-wal")
    size = (path.stat().st_size + (beside.stat().st_size if beside.exists() else 0)) / (1 << 20)
    found = [Finding("file", "ok", f"{path}, {size:.1f} MiB, SQLite {sqlite3.sqlite_version}")]
    if not ours:
        return [Finding("file", "warning", f"{path} is empty", "start a worker, which makes the tables")]
    if mode != "wal":
        found.append(Finding("journal", "error", f"journal mode {mode}, not WAL", "open it with any farandole command"))
    else:
        found.append(Finding("journal", "ok", "journal mode WAL"))
    return found


def _durability(settings: Settings) -> Finding:
    if settings.synchronous == "full":
        return Finding("synchronous", "ok", "full: what was appended survives power loss")
    return Finding(
        "synchronous", "warning", "normal: survives kill -9, but not power loss", "leave synchronous= out of the URL"
    )


def _lock(sqlite: sqlite3.Connection, settings: Settings) -> Finding:
    """Whether the write lock can be had: a stopped process that holds it stops all others."""
    began = time.monotonic()
    sqlite.execute(f"PRAGMA busy_timeout = {int(settings.patience * 1000)}")
    try:
        sqlite.execute("BEGIN IMMEDIATE")
        sqlite.execute("ROLLBACK")
    except sqlite3.OperationalError as e:
        return Finding("lock", "error", f"nothing can be written ({e})", "find the process that holds the file: lsof")
    took = time.monotonic() - began
    if took > _SLOW_LOCK:
        return Finding("lock", "warning", f"the write lock took {took:.1f} s", "fewer processes, or Kafka")
    return Finding("lock", "ok", f"the write lock took {took * 1000:.0f} ms")


def _disk(directory: Path) -> Finding:
    free = shutil.disk_usage(directory).free
    said = f"{free / (1 << 30):.1f} GiB free"
    if free < _LITTLE:
        return Finding("disk", "error" if free < _NONE else "warning", said, "make room; a full disk stops all runs")
    return Finding("disk", "ok", said)
