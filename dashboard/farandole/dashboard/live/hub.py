"""The hub: reads what changed in the tables once, and tells all who look on.

A projector in this process wakes it; else it looks where the tables are, ten times a second. While nobody looks on it
does nothing.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Final, Self, TypeVar

from sqlalchemy import Connection

from farandole.dashboard.errors import Problem
from farandole.projections import Runs
from farandole.projections.sql import DatabaseError

from .changes import Change, changes, read_positions, sent
from .lookers import Looker, Wanted

log = logging.getLogger("farandole.dashboard")

_T = TypeVar("_T")
_EVERY: Final = 0.1
_LEAST: Final = 0.02
"""Seconds between two looks: what comes meanwhile is read together."""
_RATES: Final = 2.0
_RETRY: Final = 1.0
_FAR: Final = 20_000
"""Records that are told to one who comes back; after a longer absence they begin anew."""
NOTHING: Final = Wanted()


class Hub:
    """Follows the tables while somebody looks on. Use as an async context manager.

    Args:
        most: so many may look on.
        every: seconds between two looks at the tables, where nobody wakes it.
    """

    def __init__(self, runs: Runs, *, most: int = 200, every: float = _EVERY) -> None:
        self._runs = runs
        self._most = most
        self._every = every
        self._lookers: set[Looker] = set()
        self._positions: dict[int, int] = {}
        self._beginning = asyncio.Lock()
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def wake(self, *_: object) -> None:
        """The tables have changed."""
        self._news.set()

    @property
    def lookers(self) -> int:
        """How many look on."""
        return len(self._lookers)

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._follow(), name="live hub")
        return self

    async def __aexit__(self, *_: object) -> None:
        self.end()
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    def end(self) -> None:
        """Let all go who look on."""
        for looker in self._lookers:
            looker.end()

    def check(self) -> None:
        """Whether one more may look on.

        Raises:
            Problem: too many do.
        """
        if len(self._lookers) >= self._most:
            raise Problem(503, "Too many look on", f"{self._most} look on already.", "Come back later.", retry_after=10)

    @asynccontextmanager
    async def looking(
        self, wanted: Wanted = NOTHING, after: Mapping[int, int] | None = None
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Look on: events as they go over the wire, from now on or from behind some positions.

        Args:
            after: positions behind what was seen before.

        Raises:
            Problem: too many look on.
        """
        self.check()
        async with self._beginning:
            if not self._lookers:
                self._positions = await self._read(read_positions)
        begins = dict(self._positions)
        looker = Looker(wanted, {**begins, **{p: max(n, begins.get(p, 0)) for p, n in (after or {}).items()}})
        self._lookers.add(looker)
        self._news.set()
        try:
            yield self._events(looker, begins, after)
        finally:
            self._lookers.discard(looker)

    async def _events(
        self, looker: Looker, begins: dict[int, int], after: Mapping[int, int] | None
    ) -> AsyncIterator[bytes]:
        seen = begins if after is None else {p: min(after.get(p, 0), n) for p, n in begins.items()}
        if sum(n - seen[p] for p, n in begins.items()) > _FAR:
            yield sent("reset", {"why": "too much has happened"}, _text(begins))
            seen = begins
        elif after is None:
            yield sent("ready", {}, _text(begins))
        while any(seen[p] < n for p, n in begins.items()):
            since = seen
            told, seen = await self._read(lambda c, since=since: changes(c, since, begins))  # type: ignore[misc]
            yield b"".join(each.sent for each in told if looker.wanted.takes(each))
        while event := await looker.next():
            yield event

    # ── following ────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _follow(self) -> None:
        loop = asyncio.get_running_loop()
        rates_at = 0.0
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._every if self._lookers else None):
                    await self._news.wait()
            self._news.clear()
            if not self._lookers:
                continue
            try:
                await self._look()
                if loop.time() >= rates_at:
                    rates_at = loop.time() + _RATES
                    await self._tell_rates()
            except DatabaseError as e:
                log.warning("the live stream waits for the database: %s", e)
                await asyncio.sleep(_RETRY)
            except Exception:
                log.exception("the live stream failed to look at the tables")
                await asyncio.sleep(_RETRY)
            await asyncio.sleep(_LEAST)

    async def _look(self) -> None:
        since = self._positions
        found, now, gone_back = await self._read(lambda c: _since(c, since))
        if gone_back:
            for looker in self._lookers:
                looker.send(sent("reset", {"why": "the tables were made anew"}, _text(now)))
        self._positions = now
        if found:
            for looker in self._lookers:
                looker.tell(found)

    async def _tell_rates(self) -> None:
        wanting = [looker for looker in self._lookers if looker.wanted == NOTHING]
        if not wanting:
            return
        rows = (await self._runs.reactors(minutes=1)).found
        names = ("reactor", "owed", "oldest", "parked", "stopped", "done", "failed", "took", "most")
        event = sent("reactor.rates", [{name: getattr(row, name) for name in names} for row in rows])
        for looker in wanting:
            looker.send(event)

    async def _read(self, ask: Callable[[Connection], _T]) -> _T:
        def read() -> _T:
            with self._runs.database.reading() as connection:
                return ask(connection)

        return await asyncio.to_thread(read)


def _since(connection: Connection, since: Mapping[int, int]) -> tuple[list[Change], dict[int, int], bool]:
    upto = read_positions(connection)
    if any(upto.get(p, 0) < n for p, n in since.items()):
        return [], upto, True
    found, now = changes(connection, since, upto)
    return found, now, False


def _text(positions: Mapping[int, int]) -> str:
    return ",".join(f"{p}={n}" for p, n in sorted(positions.items()))
