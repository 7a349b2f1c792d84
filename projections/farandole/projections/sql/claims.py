"""What only one may do to tables at a time is claimed, and whoever comes second is told at once who does it.

A claim ends with its holder, however that ends: in PostgreSQL it is an advisory lock of a transaction, beside an SQLite
file a lock of the operating system's on a file of its own. Neither is left behind by a process that was killed. It can end
before its holder, too, as when a connection is cut: so whoever puts something in place for good confirms its claim in the
transaction that does so.
"""

import asyncio
import getpass
import hashlib
import os
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from sqlalchemy import Connection, text

from .errors import ClaimLost, UnderWay

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
_PID: Final = text("SELECT pg_backend_pid()")
_HOLDS: Final = text(
    "SELECT EXISTS (SELECT 1 FROM pg_locks l WHERE l.pid = :pid AND l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 "
    "AND l.classid::bigint = :high AND l.objid::bigint = :low "
    "AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()))"
)


@dataclass(frozen=True, slots=True)
class Claim:
    """What was claimed.

    Attributes:
        what: is done to it.
        stands: whether the claim is still its holder's, as a transaction of the same database finds.
    """

    what: str
    stands: Callable[[Connection | None], bool] = lambda connection: True

    def confirm(self, connection: Connection | None = None) -> None:
        """See that nobody else can have claimed it. Called last in a transaction, after all that whoever claims it next
        would wait for.

        Args:
            connection: of the transaction; of a file it is not needed.

        Raises:
            ClaimLost: somebody can.
        """
        if not self.stands(connection):
            raise ClaimLost(
                f"the claim for this {self.what} was lost on the way; nothing was put in place, so do it again"
            )


def claim_in(connection: Connection, name: str, what: str) -> Claim:
    """Claim something until this transaction of PostgreSQL's ends. Nothing is written, so that it stands in nobody's way.

    Args:
        name: of what is claimed.
        what: what is done to it, as ``rebuild of runs``.

    Raises:
        UnderWay: somebody else has it.
    """
    key = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest())
    # First, so that nobody finds it claimed and not by whom.
    told = f"{_OURS}{this_process()}{_DOES}{what}".encode()[:_MOST_NAME].decode(errors="ignore")
    connection.execute(_SETTLE, {"name": told})
    lock = {"high": key >> 32, "low": key & 0xFFFF_FFFF}
    if connection.execute(_CLAIM, {"key": key - (1 << 64) if key >> 63 else key}).scalar_one():
        mine = {"pid": connection.execute(_PID).scalar_one(), **lock}
        return Claim(what, lambda there: there is None or bool(there.execute(_HOLDS, mine).scalar_one()))
    row = connection.execute(_HOLDER, lock).first()
    # Of connections of other users, or of one that has just gone, this one may see nothing.
    by, _, said = str("" if row is None else row.application_name or "").removeprefix(_OURS).partition(_DOES)
    raise UnderWay(_told(said, None if row is None or row.xact_start is None else _at(row.xact_start), by))


@asynccontextmanager
async def claiming(database: "Database", name: str, what: str) -> AsyncIterator[Claim]:
    """`Database.claimed`, where nothing may block."""
    held = ExitStack()
    claim = await asyncio.to_thread(held.enter_context, database.claimed(name, what))
    try:
        yield claim
    finally:
        await asyncio.to_thread(held.close)


@contextmanager
def claim_beside(path: str, name: str, what: str) -> Iterator[Claim]:
    """Claim something of an SQLite file.

    Args:
        path: of the database.
        name, what: see `claim_in`.

    Raises:
        UnderWay: somebody else has it.
    """
    place = Path(f"{path}.{name}.claim")
    with _locked(place) as file:
        file.write(f"{what}\n{_at(datetime.now(UTC))}\n{this_process()}\n")
        file.flush()
        try:
            yield Claim(what, lambda _: _is_there(place, file))
        finally:
            # While it is still locked, so that whoever has opened it finds that it is there no more.
            with suppress(OSError):
                if _is_there(place, file):
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


def this_process() -> str:
    """This process, as somebody at another machine finds it."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError, ImportError):
        user = "somebody"
    return f"process {os.getpid()} of {user}@{socket.gethostname()}"
