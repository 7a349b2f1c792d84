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
from farandole.reactors.tasks import is_being_cancelled

from .changes import Change, changes, read_positions, sent
from .lookers import Looker, Wanted

log = logging.getLogger("farandole.dashboard")

_T = TypeVar("_T")
_EVERY: Final = 0.1
_LEAST: Final = 0.02
"""Seconds between two looks: what comes meanwhile is read together."""
_RATES: Final = 2.0
_RETRY: Final = 1.0
_SOON: Final = 500
_FAR: Final = 20_000
"""Records that are told to one who comes back; after a longer absence they begin anew."""
NOTHING: Final = Wanted()


class Hub:
    """Follows the tables while somebody looks on. Use as an async context manager.

    Args:
        most: so many may look on.
        every: seconds between two looks at the tables, where nobody wakes it.
        trouble: says what keeps the tables from going on, if something does; those who look on are told.
    """

    def __init__(
        self, runs: Runs, *, most: int = 200, every: float = _EVERY, trouble: Callable[[], str | None] = lambda: None
    ) -> None:
        self._runs = runs
        self._trouble = trouble
        self._told: str | None = None
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
        self._task = asyncio.create_task(self._go_on(), name="live hub")
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

    async def check(self) -> None:
        """Whether one more may look on, and would see something.

        Raises:
            Problem: too many do.
            DatabaseError: the tables cannot be read.
        """
        self._refuse_crowds()
        await self._read(read_positions)

    def _refuse_crowds(self) -> None:
        if len(self._lookers) >= self._most:
            raise Problem(503, "Too many look on", f"{self._most} look on already.", "Come back later.", retry_after=10)

    @asynccontextmanager
    async def looking(
        self, wanted: Wanted = NOTHING, after: Mapping[int, int] | None = None, *, longest: float | None = None
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Look on: events as they go over the wire, from now on or from behind some positions.

        Args:
            after: positions behind what was seen before.
            longest: seconds after which the events end, the last of them with the position from where to come back.

        Raises:
            Problem: too many look on.
        """
        self._refuse_crowds()
        async with self._beginning:
            if not self._lookers:
                self._positions = await self._read(read_positions)
        lost = after is not None and await self._lost(after)
        begins = dict(self._positions)
        looker = Looker(wanted, begins if after is None or lost else {**begins, **_greater(after, begins)})
        self._lookers.add(looker)
        self._news.set()
        over = None
        if longest is not None:
            over = asyncio.get_running_loop().call_later(longest, self._let_go, looker)
        try:
            yield self._events(looker, begins, None if lost else after, lost=lost)
        finally:
            if over is not None:
                over.cancel()
            self._lookers.discard(looker)

    def _let_go(self, looker: Looker) -> None:
        """Let one go who comes back: what they have been told by then reaches up to where the hub is, or they were."""
        looker.send(_come_back({p: max(n, looker.after.get(p, 0)) for p, n in self._positions.items()}))
        looker.end()

    async def _lost(self, after: Mapping[int, int]) -> bool:
        """Whether the tables are behind what somebody has seen of them: they were set back, or are of another log."""
        if all(n <= self._positions.get(p, 0) for p, n in after.items()):
            return False
        now = await self._read(read_positions)
        return any(n > now.get(p, 0) for p, n in after.items())

    async def _events(
        self, looker: Looker, begins: dict[int, int], after: Mapping[int, int] | None, *, lost: bool
    ) -> AsyncIterator[bytes]:
        seen = begins if after is None else {p: min(after.get(p, 0), n) for p, n in begins.items()}
        if lost:
            yield sent("reset", {"why": "the tables were made anew"}, _text(begins))
        elif sum(n - seen[p] for p, n in begins.items()) > _FAR:
            yield sent("reset", {"why": "too much has happened"}, _text(begins))
            seen = begins
        elif after is None:
            yield sent("ready", {}, _text(begins))
        if (why := self._trouble()) is not None:
            yield _trouble(why)
        while any(seen[p] < n for p, n in begins.items()):
            since = seen
            told, seen = await self._read(lambda c, since=since: changes(c, since, begins))  # type: ignore[misc]
            yield b"".join(each.sent for each in told if looker.wanted.takes(each))
            if looker.over:
                # Their time is over before they have read what was there when they came.
                yield _come_back(seen)
                return
        while event := await looker.next():
            yield event

    # ── following ────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _go_on(self) -> None:
        while True:
            try:
                await self._follow()
            except asyncio.CancelledError:
                if is_being_cancelled():
                    raise
                log.exception("the live stream was cancelled from within; beginning anew")
                self._end_all("the live stream begins anew")
                await asyncio.sleep(_RETRY)

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
                    self._tell_trouble()
                    await self._tell_rates()
            except DatabaseError as e:
                log.warning("the live stream waits for the database: %s", e)
                self._end_all(str(e))
                await asyncio.sleep(_RETRY)
            except Exception:
                log.exception("the live stream failed to look at the tables")
                self._end_all("the server failed to look at the tables; its log says why")
                await asyncio.sleep(_RETRY)
            await asyncio.sleep(_LEAST)

    async def _look(self) -> None:
        since = self._positions
        found, now, gone_back = await self._read(lambda c: _since(c, since))
        if gone_back:
            for looker in self._lookers:
                looker.begin_anew(sent("reset", {"why": "the tables were made anew"}, _text(now)))
        self._positions = now
        if found:
            for looker in self._lookers:
                looker.tell(found)

    def _end_all(self, why: str) -> None:
        """Tell all who look on that nothing more can be told, and why; they come back from where they were."""
        for looker in self._lookers:
            looker.send(_trouble(why))
            looker.end()

    def _tell_trouble(self) -> None:
        """Tell what keeps the tables from going on, and when nothing does any more."""
        if (why := self._trouble()) != self._told:
            self._told = why
            for looker in self._lookers:
                looker.send(_trouble(why))

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


def _trouble(why: str | None) -> bytes:
    return sent("trouble", {"why": why})


def _come_back(positions: Mapping[int, int]) -> bytes:
    """What says to whoever reads it from where to come back, and how soon (milliseconds), and is no event to them."""
    return f"retry: {_SOON}\nid: {_text(positions)}\n\n".encode()


def _greater(after: Mapping[int, int], begins: Mapping[int, int]) -> dict[int, int]:
    """Where what is told begins for one who has seen some of it."""
    return {p: max(n, begins.get(p, 0)) for p, n in after.items()}


def _text(positions: Mapping[int, int]) -> str:
    return ",".join(f"{p}={n}" for p, n in sorted(positions.items()))
