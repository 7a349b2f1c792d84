"""Where a scenario plays: its logs on one event loop of virtual time, and the rules by which time passes."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Final, TypeVar

from farandole.eventstore import VIRTUAL_EPOCH, LoopClock
from farandole.eventstore.memory import forget
from farandole.projections.fold.settings import NAMES
from farandole.reactors import Choreography, Provider

from .chronicle import Chronicle
from .errors import NotAtRest, ScenarioError
from .log import Log
from .telling import shown
from .thread import LoopThread
from .waiting import where

T = TypeVar("T")

MOST_RECORDS: Final = 20_000
"""What one command may give rise to before it counts as endless."""
_MOST_TIME: Final = 86_400.0
"""Seconds of virtual time for which handlers at work are waited for."""
_MOST_MOVES: Final = 100_000
"""How often time may move on meanwhile."""

_numbers = count(1)


class Stage:
    """Runs what a test asks for, and after each command waits until all that follows from it is done.

    Args:
        at: when virtual time begins.
        workers: for each service.
        settings: admission settings of the logs.
    """

    def __init__(
        self, choreographies: Sequence[Choreography], *, at: datetime | None, workers: int, settings: Mapping[str, int]
    ) -> None:
        if not choreographies:
            raise ScenarioError("a scenario needs a choreography, as Scenario(orders)")
        if unknown := settings.keys() - NAMES:
            raise ScenarioError(
                f"there is no setting {', '.join(sorted(unknown))}; there are {', '.join(sorted(NAMES))}"
            )
        self.choreographies = choreographies
        self.chronicle = Chronicle(self._noted)
        self.logs: dict[str, Log] = {}
        self._epoch = VIRTUAL_EPOCH if at is None else int(at.timestamp() * 1000)
        self._workers = workers
        self._settings = settings
        self._replaced: list[tuple[Provider[Any], Any]] = []
        self._thread: LoopThread | None = None
        self._name = f"scenario-{next(_numbers)}"
        self._elapsed = 0.0
        self._written = 0
        self._endless: asyncio.Future[None] | None = None
        self._begun = False

    def enter(self) -> None:
        self._thread = LoopThread()

    async def leave(self) -> None:
        """Let everybody go.

        Raises:
            Exception: whatever a worker broke down with, or a provider raised while it closed.
        """
        if self._thread is None:
            return
        try:
            await self._thread.run(self._close())
        finally:
            self._elapsed = self._thread.loop.time()
            await self._thread.close()
            self._thread = None
            forget(self._name)

    def replace(self, provider: Provider[Any], value: Any) -> None:
        """See `Scenario.replace`."""
        if self.logs:
            raise ScenarioError(
                f"{provider.where}: replace it before the first given or when; reactors have it already"
            )
        if not any(provider in choreography.providers for choreography in self.choreographies):
            raise ScenarioError(f"{provider.where} is a provider of no choreography of this scenario")
        self._replaced.append((provider, value))

    @property
    def elapsed(self) -> float:
        """Seconds of virtual time since the scenario began."""
        return self._elapsed if self._thread is None else self._thread.loop.time()

    @property
    def now(self) -> datetime:
        return datetime.fromtimestamp(self._epoch / 1000, UTC) + timedelta(seconds=round(self.elapsed, 6))

    @property
    def began(self) -> int:
        """When virtual time began, in milliseconds since 1970 UTC."""
        return self._epoch

    def log(self, choreography: str) -> Log | None:
        """The log of a choreography, once it is there."""
        return self.logs.get(choreography)

    async def history(self, write: Callable[[], Awaitable[None]]) -> None:
        """Write history, before anybody works."""
        if self._begun:
            raise ScenarioError("given(...) comes before the first when(...): history is there before anybody works")
        await self._command(self._written_by(write))

    async def command(self, do: Callable[[], Awaitable[T]], after: timedelta | None = None) -> T:
        """Do something, and wait until all that follows from it is done.

        Args:
            after: let exactly so much time pass. None: as much as the handlers take that it sets to work.

        Raises:
            NotAtRest: it goes on and on.
        """
        return await self._command(self._done(do, after))

    async def look(self, do: Callable[[], Awaitable[T]]) -> T:
        """Do something that only looks at what has happened."""
        return await self._command(self._looked(do))

    async def _looked(self, do: Callable[[], Awaitable[T]]) -> T:
        await self._open()
        return await do()

    async def _written_by(self, write: Callable[[], Awaitable[None]]) -> None:
        await self._open()
        await write()
        await self._settle()

    async def _done(self, do: Callable[[], Awaitable[T]], after: timedelta | None) -> T:
        await self._begin()
        self.chronicle.since = len(self.chronicle.lines)
        loop = asyncio.get_running_loop()
        until = None if after is None else loop.time() + after.total_seconds()
        result = await do()
        await self._settle(until)
        for log in self.logs.values():
            log.check()
        return result

    async def _open(self) -> None:
        if self.logs:
            return
        clock = LoopClock(self._epoch)
        named: dict[str, list[Choreography]] = {}
        for choreography in self.choreographies:
            named.setdefault(choreography.name, []).append(choreography)
        logs: dict[str, Log] = {}
        try:
            # Those that look for what others offer find it there.
            for name, services in sorted(named.items(), key=lambda each: any(s.finders for s in each[1])):
                log = logs[name] = Log(
                    services, f"memory://{self._name}", clock,
                    workers=self._workers, settings=self._settings, replaced=self._replaced,
                )  # fmt: skip
                await log.open()
                self.chronicle.follow(log)
                await log.client.follower.up_to_date(range(log.store.partitions))
        except BaseException:
            for log in logs.values():
                await log.close()
            raise
        self.logs = {name: logs[name] for name in named}

    async def _begin(self) -> None:
        if self._begun:
            return
        await self._open()
        for log in self.logs.values():
            await log.begin()
        await self._rest()
        self._begun = True

    async def _close(self) -> None:
        for log in self.logs.values():
            await log.close()

    async def _settle(self, until: float | None = None) -> None:
        loop = asyncio.get_running_loop()
        await self._rest()
        if until is not None:
            await asyncio.sleep(until - loop.time())
            await self._rest()
        else:
            await self._until_nobody_works()
        await self.chronicle.catch_up()

    async def _until_nobody_works(self) -> None:
        loop = self._running.loop
        most, moves = loop.time() + _MOST_TIME, 0
        while at_work := [each for log in self.logs.values() for each in log.at_work]:
            if loop.time() >= most or moves >= _MOST_MOVES:
                raise NotAtRest(
                    "a handler does not come to an end: after a day of virtual time it still waits\n"
                    f"{where(loop, at_work)}\n"
                    "If that is as it should be, say how much time passes: after='10m'. If it waits for something that "
                    "the test does, that comes too late: the test goes on once everybody rests"
                )
            await loop.move()
            moves += 1
            await self._rest()

    async def _rest(self) -> None:
        await self._running.loop.rest()

    @property
    def _running(self) -> LoopThread:
        if self._thread is None:
            raise ScenarioError("a scenario plays while its block runs: async with Scenario(orders) as s: ...")
        return self._thread

    async def _command(self, coroutine: Coroutine[Any, Any, T]) -> T:
        try:
            thread = self._running
        except ScenarioError:
            coroutine.close()
            raise
        return await thread.run(self._limited(coroutine))

    async def _limited(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a command, unless it gives rise to more and more."""
        self._written, self._endless = 0, asyncio.get_running_loop().create_future()
        task = asyncio.ensure_future(coroutine)
        try:
            await asyncio.wait((task, self._endless), return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                await self.chronicle.catch_up()
                raise NotAtRest(
                    f"it does not come to rest: {MOST_RECORDS:,} records, and it goes on. Two reactors may feed each "
                    f"other for ever. The last events:\n{self._last_events()}"
                )
            return task.result()
        finally:
            self._endless.cancel()
            if not task.done():
                task.cancel()
                with suppress(BaseException):
                    await task

    def _noted(self) -> None:
        self._written += 1
        if self._written >= MOST_RECORDS and self._endless is not None and not self._endless.done():
            self._endless.set_result(None)

    def _last_events(self) -> str:
        last = [(line.envelope.reactor.decode(), event) for line in self.chronicle.lines[-8:] for event in line.events]
        return "\n".join(f"  {reactor} → {shown(event)}" for reactor, event in last)
