"""Rebuilds of the tables that go on while what they need is killed, and what is to be said of them afterwards."""

import asyncio
import re
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from .keepers import Keepers

PATIENCE: Final = 120.0
"""Seconds within which a rebuild is under way, and in which one comes to its end once nothing is killed any more."""
_STOPPED: Final = "TtZX"
"""States of threads that do nothing, as Linux calls them."""
_DONE: Final = re.compile(r"[\d,]+ records in .+ a second; the tables are in place")
_SO_FAR: Final = re.compile(r"[█░]{24} +\d+%  [\d,]+ of [\d,]+ records, .+")
REASONS: Final[Mapping[str, re.Pattern[str]]] = {
    # Nobody waits until what a rebuild writes is on the disk: a kill of the database may set that back.
    "PostgreSQL": re.compile(
        r"error: (postgresql://.+|the claim for this rebuild .+ was lost on the way; .+"
        r"|the tables are further on, or set back: .+)"
    ),
    "the broker": re.compile(r"error: (?!unexpected )[^:]*kafka://.+"),
}
"""By what is killed, how a rebuild says that it failed for that. A projector is none of its concern."""
NOISE: Final[Mapping[str, re.Pattern[str]]] = {
    "PostgreSQL": re.compile(
        r"error ignored terminating <psycopg.Pipeline .+|no connection to the server"
        r"|server closed the connection unexpectedly|\s+This probably means the server terminated abnormally"
        r"|\s+before or while processing the request."
        r"|the database did not take what was to be written, trying again: postgresql://.+"
    ),
}
"""What is said besides when that is killed, by the driver of the database and by a rebuild that goes on."""


@dataclass(slots=True)
class Rebuild:
    """One `farandole rebuild`.

    Attributes:
        under_way: what was killed while it made tables, which were there, and were not yet in place.
        beside: what was killed, or not yet up again, at any time since it was begun; that is in it, too.
        code: how it ended.
        said: its lines.
    """

    under_way: set[str] = field(default_factory=set)
    beside: set[str] = field(default_factory=set)
    code: int | None = None
    said: list[str] = field(default_factory=list)


class Rebuilds:
    """Makes the tables anew, one rebuild after the other, until each of some things was killed while one was under way, and
    one has come to its end since.

    Attributes:
        all: those that were begun.
    """

    def __init__(self, keepers: Keepers, kinds: Iterable[str]) -> None:
        self.all: list[Rebuild] = []
        self._keepers = keepers
        self._wanted = {*kinds}
        self._down: set[str] = set()
        self._process: asyncio.subprocess.Process | None = None
        self._former: int | None = None
        """Tables that were left beside those in use before the rebuild began: not of its making."""
        self._sure = False
        """Whether they could be looked for."""

    async def run(self) -> None:
        while self._wanted or not self.all or self.all[-1].code != 0:
            await self._once()

    async def _once(self) -> None:
        self._sure = not self._down
        self._former = await self._shadow()
        self.all.append(this := Rebuild(beside={*self._down}))
        self._process = process = await self._keepers.rebuild()
        try:
            said, _ = await process.communicate()
        except asyncio.CancelledError:
            process.kill()
            await process.wait()
            raise
        finally:
            self._process = None
        this.code, this.said = process.returncode, said.decode(errors="replace").splitlines()

    async def kill(self, what: str, end: Callable[[], Awaitable[None]], begin: Callable[[], object]) -> None:
        """Kill something, and start it again: while a rebuild is under way, if none was yet when such a thing was killed.

        Raises:
            TimeoutError: no rebuild was under way.
        """
        try:
            if what in self._wanted:
                until = time.monotonic() + PATIENCE
                while not await self._while_under_way(what, end):
                    if time.monotonic() > until:
                        raise TimeoutError(f"no rebuild was under way within {PATIENCE:g} s")
                    await asyncio.sleep(0.005)
            else:
                await self._beside(what, end)
            await asyncio.to_thread(begin)
        finally:
            self._down.discard(what)

    async def _while_under_way(self, what: str, end: Callable[[], Awaitable[None]]) -> bool:
        process = self._process
        if process is None or not await self._makes_tables():
            return False
        # It stands still, so that its tables are not put in place between the look and the kill.
        async with _still(process):
            if process.returncode is not None or not await self._makes_tables():
                return False
            self.all[-1].under_way.add(what)
            self._wanted.discard(what)
            await self._beside(what, end)
        return True

    async def _beside(self, what: str, end: Callable[[], Awaitable[None]]) -> None:
        self._down.add(what)
        if self._process is not None:
            self.all[-1].beside.add(what)
        await end()

    async def _makes_tables(self) -> bool:
        return self._sure and await self._shadow() not in (None, self._former)

    def _shadow(self) -> Awaitable[int | None]:
        return asyncio.to_thread(self._keepers.shadow)


@asynccontextmanager
async def _still(process: asyncio.subprocess.Process) -> AsyncIterator[None]:
    """A process that does nothing for as long as this context lasts, if it has not ended."""
    try:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGSTOP)
        # A thread that waits for a core, or for the kernel, hears of the signal only when it goes on.
        while process.returncode is None and not _stands(process.pid):
            await asyncio.sleep(0.001)
        yield
    finally:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGCONT)


def _stands(pid: int) -> bool:
    """Whether each thread of a process is stopped, or has ended."""
    states = []
    for stat in Path(f"/proc/{pid}/task").glob("*/stat"):
        with suppress(OSError):
            states.append(stat.read_text().rpartition(")")[2].split()[0])
    return all(state in _STOPPED for state in states)


def wrong_rebuilds(rebuilds: Iterable[Rebuild], kinds: Iterable[str]) -> Iterator[str]:
    """One line for each kind that was not killed under a rebuild, and for whatever a rebuild did or said that no kill beside
    it explains.
    """
    rebuilds = [*rebuilds]
    for kind in kinds:
        if not any(kind in each.under_way for each in rebuilds):
            yield f"no kill of {kind} fell into a rebuild under way: it was not tried"
    for number, each in enumerate(rebuilds, 1):
        told = [line for line in each.said if _expected(REASONS, each.beside, line)]
        placed = [line for line in each.said if _DONE.fullmatch(line)]
        for line in each.said:
            if line not in (*told, *placed) and not _SO_FAR.fullmatch(line) and not _expected(NOISE, each.beside, line):
                yield f"rebuild {number} said: {line}"
        if each.code != 0 and not (told and not placed):
            yield f"rebuild {number} ended with {each.code}, for nothing that was killed ({sorted(each.beside)})"
        if each.code == 0 and (told or len(placed) != 1):
            yield f"rebuild {number} ended with 0, and said {each.said}"
    if not rebuilds or rebuilds[-1].code != 0:
        yield "no rebuild came to its end after all that was killed"


def _expected(lines: Mapping[str, re.Pattern[str]], killed: Iterable[str], line: str) -> bool:
    return any(kind in lines and lines[kind].fullmatch(line) for kind in killed)
