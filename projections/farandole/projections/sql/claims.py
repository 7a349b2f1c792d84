"""What only one may do to tables at a time is claimed, and whoever comes second is told at once who does it.

A claim ends with its holder, however that ends: in PostgreSQL it is an advisory lock of a transaction, beside an SQLite
file a lock of the operating system's on a file of its own. Neither is left behind by a process that was killed.
"""

import asyncio
import getpass
import hashlib
import os
import socket
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from sqlalchemy import Connection, text

from .errors import UnderWay

if TYPE_CHECKING:
    from .database import Database

_OURS: Final = "farandole "
_DOES: Final = ": "
_MOST_NAME: Final = 63
"""Bytes of the name that a connection to PostgreSQL may say it has."""
_SAID: Final = 3
"""Lines that tell of a claim beside a file."""
_SAID_SOON: Final = 1.0
"""Seconds within which whoever claims a file says so."""
_CLAIM: Final = text("SELECT pg_try_advisory_xact_lock(:key)")
_SETTLE: Final = text(
    "SELECT set_config('application_name', :name, true), set_config('idle_in_transaction_session_timeout', '0', true)"
)
_HOLDER: Final = text(
    "SELECT a.application_name, a.xact_start, a.pid FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid "
    "WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 AND l.classid::bigint = :high "
    "AND l.objid::bigint = :low AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


def claim_in(connection: Connection, name: str, what: str) -> None:
    """Claim something until this transaction of PostgreSQL's ends. Nothing is written, so that it stands in nobody's way.

    Args:
        name: of what is claimed.
        what: what is done to it, as ``rebuild of runs``.

    Raises:
        UnderWay: somebody else has it.
    """
    key = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest())
    # First, so that nobody finds it claimed and not by whom.
    told = f"{_OURS}{_who()}{_DOES}{what}".encode()[:_MOST_NAME].decode(errors="ignore")
    connection.execute(_SETTLE, {"name": told})
    if connection.execute(_CLAIM, {"key": key - (1 << 64) if key >> 63 else key}).scalar_one():
        return
    row = connection.execute(_HOLDER, {"high": key >> 32, "low": key & 0xFFFF_FFFF}).first()
    # Of connections of other users, or of one that has just gone, this one may see nothing.
    by, _, said = str("" if row is None else row.application_name or "").removeprefix(_OURS).partition(_DOES)
    raise UnderWay(_told(said, None if row is None or row.xact_start is None else _at(row.xact_start), by))


@asynccontextmanager
async def claiming(database: "Database", name: str, what: str) -> AsyncIterator[None]:
    """`Database.claimed`, where nothing may block."""
    claim = ExitStack()
    await asyncio.to_thread(claim.enter_context, database.claimed(name, what))
    try:
        yield
    finally:
        await asyncio.to_thread(claim.close)


@contextmanager
def claim_beside(path: str, name: str, what: str) -> Iterator[None]:
    """Claim something of an SQLite file.

    Args:
        path: of the database.
        name, what: see `claim_in`.

    Raises:
        UnderWay: somebody else has it.
    """
    place = Path(f"{path}.{name}.claim")
    with _locked(place) as file:
        file.write(f"{what}\n{_at(datetime.now(UTC))}\n{_who()}\n")
        file.flush()
        try:
            yield
        finally:
            # While it is still locked, so that whoever has opened it finds that it is there no more.
            with suppress(OSError):
                place.unlink()


@contextmanager
def _locked(place: Path) -> Iterator[IO[str]]:
    deadline = time.monotonic() + _SAID_SOON
    while True:
        with place.open("a+", encoding="utf-8") as file:
            if not _lock(file):
                file.seek(0)
                said = file.read().splitlines()
                if len(said) != _SAID and time.monotonic() < deadline:  # it was claimed just now
                    time.sleep(0.01)
                    continue
                raise UnderWay(_told(*said) if len(said) == _SAID else _told())
            if not _is_there(place, file):
                continue
            file.truncate(0)
            yield file
            return


def _is_there(place: Path, file: IO[str]) -> bool:
    """Whether what was opened is still the file of that name: whoever had it has put it away, perhaps, meanwhile."""
    try:
        return os.path.samestat(place.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


if sys.platform == "win32":
    import msvcrt

    _FAR: Final = 1 << 20
    """Of a byte that is locked, for what is locked there nobody else can read."""

    def _lock(file: IO[str]) -> bool:
        file.seek(_FAR)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def _lock(file: IO[str]) -> bool:
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def _told(what: str = "", since: str | None = None, by: str = "") -> str:
    since_then = f" since {since}" if since else ""
    return f"a {what or 'rebuild'} is under way{since_then}, by {by or 'somebody else'}; wait for it, or end it there"


def _at(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _who() -> str:
    """This process, as somebody at another machine finds it."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError, ImportError):
        user = "somebody"
    return f"process {os.getpid()} of {user}@{socket.gethostname()}"
