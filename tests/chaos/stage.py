"""Where a cell plays: workers, load and a log that is read all the while; then calm, and the judge.

async with Stage(trial) as stage:
    await stage.press(rate=60)          # load
    …                                   # harm, and its end
    stage.healed()
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count, islice
from random import Random
from typing import Any, ClassVar, Self

from examples.orders import payments, shipping, warehouse

from checker import Examination, Topics
from checker.record import Kind
from farandole.reactors import Retry
from farandole.testing.proxy import TcpProxy
from flow.fresh_topics import forget_topics
from flow.order_histories import DECLINED, card
from flow.watch import contracts, topics_of
from flow.workers import REACTORS, SERVICES

from .advice import introduce
from .broker import PROXIED
from .census import Census
from .crew import Crew, Hand
from .effects import POISON_ATTEMPTS, owed_longest, policies_of
from .garbage import BEFORE, Garbage
from .judge import judge
from .ledger import Notes
from .pressure import FOR_EVER, Load
from .starvation import Starvation
from .trial import Trial

CALM = 30.0
"""Seconds after the last fault, and the last start, in which nothing may be owed any more."""
LONG = 5.0
"""Seconds after which it is told what was owed so long."""
PATIENCE = 120.0
WARM = 200
"""Runs before the first fault."""


class Stage:
    """A choreography of three services under load. An async context manager; leaving it brings the judge.

    Attributes:
        choreography: its name.
        services: those of it.
        reactors: how many they have together.
        policies: by reactor, how many attempts it has.

    Args:
        names: workers of each service, by name.
        session: seconds after which the group gives up a silent worker.
        proxied: whether workers and load reach the broker through a proxy.
        options: further options of the store's URL.
        poison: whether a fourth service is there, whose reactor never works.
        advised: whether the orders that are pressed are told what a model used for them.
        only_crashes: whether nothing else is done to the workers, so that it is known what may be done twice.
        bootstrap: other brokers than the one that all cells share.
        crew: further arguments of the workers.
    """

    choreography: ClassVar[str] = "orders"
    services: ClassVar[Sequence[str]] = SERVICES
    reactors: ClassVar[int] = REACTORS
    policies: ClassVar[Mapping[str, int]] = policies_of(each.orders for each in (payments, warehouse, shipping)) | {
        "take_picture": POISON_ATTEMPTS,
        "do_without": Retry().attempts,
    }

    def __init__(
        self,
        trial: Trial,
        *,
        names: Sequence[str] = ("a",),
        session: float = 10,
        proxied: bool = False,
        options: str = "",
        poison: bool = False,
        partitions: int = 8,
        advised: bool = False,
        only_crashes: bool = False,
        bootstrap: str = "",
        crew: Mapping[str, Any] | None = None,
    ) -> None:
        self.trial = trial
        self._advised = advised
        self.partitions = partitions
        self._bootstrap = bootstrap or trial.broker.bootstrap
        self._proxied = proxied
        server = self._bootstrap
        if proxied:
            listener = trial.broker.listeners[PROXIED]
            self.proxy = TcpProxy(listener.advertised, listener.port)
            server = f"127.0.0.1:{listener.advertised}"
        self.url = f"kafka://{server}?session={session:g}{options}"
        self.poison = poison
        self.only_crashes = only_crashes
        services = (*self.services, "poison") if poison else self.services
        self.crew = Crew(self.url, trial.folder, names, services, partitions=partitions, **(crew or {}))
        self.loads: list[Load] = []
        self.notes = Notes(trial.folder / "executions")
        self.census = Census(self.crew, trial, self.notes)
        self.garbage = Garbage(self._bootstrap, self.choreography, partitions, Random(f"garbage {trial.seed}"))
        """Throws records that nobody can read: some before the first fault, then one after the other until all is calm, and one
        at each fault."""
        self.next_order = 1
        """The number of the next order that is started."""
        self._reader: asyncio.Task[None] | None = None
        self._stack = AsyncExitStack()
        self.found: Examination

    async def __aenter__(self) -> Self:
        try:
            await self._open()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def _open(self) -> None:
        await forget_topics(self._bootstrap, self.choreography)
        if self._proxied:
            await self._stack.enter_async_context(self.proxy)
        self._stack.enter_context(self.crew)
        self._stack.callback(lambda: [load.kill() for load in self.loads])
        self.crew.start()
        async with asyncio.timeout(PATIENCE):
            topics = await topics_of(self._bootstrap, self.crew, self.choreography)
            await self._stack.enter_async_context(topics)
            first = await contracts(topics, self.crew, self.reactors + 2 * self.poison)
            if self._advised:
                await introduce(self.url)
            self.found = Examination(topics.partitions, await topics.table())
            self._topics = topics
        self.found.take(first)
        await self._stack.enter_async_context(self._reading(topics))
        await self._warm_up()
        await self._stack.enter_async_context(self.garbage)
        await self.garbage.throw(BEFORE)
        await self.until(lambda: self.idle, "the first runs")
        await self.census.begin()
        self.garbage.keep_throwing()
        self.trial.on_fault.append(self.garbage.throw_now)

    async def _warm_up(self) -> None:
        """Start the first runs."""
        await self.press(rate=200, most=WARM)

    async def _work_on(self) -> None:
        """Let those that came back do something."""
        await self.press(rate=200, most=WARM)
        await self.until(lambda: self.idle, "a little more work")

    @asynccontextmanager
    async def _reading(self, topics: Topics) -> AsyncIterator[None]:
        async def read() -> None:
            while True:
                self.found.take(await topics.read())
                await asyncio.sleep(0)

        reading = asyncio.create_task(read())
        self._reader = reading
        try:
            yield
        finally:
            reading.cancel()
            await asyncio.wait([reading])

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        try:
            if error is None:
                await self._calm()
                self.found.catalogue.learn(await self._topics.table())
                await self._judge()
        finally:
            await self._stack.aclose()

    async def _judge(self) -> None:
        await judge(self, self._bootstrap)

    async def press(self, rate: float, *, most: int = FOR_EVER, cards: Sequence[str] = ()) -> Load:
        """Start orders at a rate; the first of them that are not declined with these cards. Returns when the first is about
        to be started.
        """
        numbered = dict(zip(self.next_orders(len(cards)), cards, strict=True))
        load = Load(
            self.url, self.trial.folder, self.partitions, rate=rate, first=self.next_order, most=most, cards=numbered,
            advised=self._advised,
        )  # fmt: skip
        self.next_order += 1_000_000 if most == FOR_EVER else most
        self.loads.append(load)
        await self.until(lambda: load.begun, "the load")
        return load

    def next_orders(self, number: int) -> list[int]:
        """The numbers of the next orders that are not declined."""
        return list(islice((n for n in count(self.next_order) if card(n) != DECLINED), number))

    def healed(self) -> None:
        """All harm is over from here on."""
        self.trial.did("healed")
        self.trial.over()

    async def until(self, condition: Callable[[], bool], what: str, patience: float = PATIENCE) -> None:
        """Wait until a condition is true.

        Raises:
            TimeoutError: that took too long.
            RuntimeError: a load failed.
        """
        began = time.monotonic()
        while not condition():
            if time.monotonic() - began > patience:
                raise TimeoutError(f"{what} took longer than {patience:g} s: {self._state()}")
            if self.loads and not self.loads[-1].running and not self.loads[-1].begun:
                raise RuntimeError("the load ended before it began")
            if self._reader is not None and self._reader.done():
                self._reader.result()
            await asyncio.sleep(0.01)

    async def pause(self, seconds: float) -> None:
        """Let load and faults go on for a while."""
        await asyncio.sleep(seconds)

    @property
    def owed(self) -> int:
        """Pairs that are owed at the place up to which the log was read."""
        return sum(len(run.owed) for part in self.found.partitions for run in part.fold.runs.values())

    @property
    def idle(self) -> bool:
        """Whether all loads are over, and every run that they started is closed."""
        if any(load.running for load in self.loads):
            return False
        started = {id for load in self.loads for id in load.acknowledged}
        return self.found.closed >= len(started) and not any(part.fold.runs for part in self.found.partitions)

    def _state(self) -> str:
        running = sum(load.running for load in self.loads)
        return f"{self.owed} owed, {self.found.closed} runs closed, {running} loads running"

    async def _calm(self) -> None:
        """Stop the load, and wait until nothing is owed: the promise that it takes no longer than half a minute."""
        for load in self.loads:
            if load.running:
                load.stop()
        await self.until(lambda: not any(load.running for load in self.loads), "the last starts")
        await self.garbage.rest()
        since, starvation = time.monotonic(), Starvation()
        try:
            await self.until(lambda: self.idle, "what is owed")
        except TimeoutError as e:
            self.trial.wrong(f"I11: {e}")
        took, starved = time.monotonic() - since, starvation.seconds
        self.trial.notes["seconds until nothing was owed"] = round(took, 3)
        if took > LONG:
            self.trial.notes["what was owed longest"] = owed_longest(self.found)
        self.trial.within("I11: nothing owed any more", took, starved, CALM)
        self.crew.check()
        since = time.monotonic()
        while idle := [hand.member for hand in self.census.came_back() if not self.partitions_of(hand)]:
            # What has only begun to start does not hold yet what it needs.
            if time.monotonic() - since > PATIENCE:
                raise TimeoutError(f"{', '.join(idle)} came back, and began nothing within {PATIENCE:g} s")
            await self._work_on()
        if came_back := await self.census.begin():
            # Idle, they hold what they need; work that is done is to leave nothing.
            await self._work_on()
            self.trial.notes["came back, and were counted before and after more work"] = came_back
        await self.census.end()

    # What recovery is measured by.

    def closings_after(self, at: int, services: Iterable[str] = SERVICES) -> dict[int, float]:
        """By partition, the seconds from a time (milliseconds since 1970) to the first outcome that was admitted there.

        Failures count too: they are what a worker made of a step.
        """
        wanted = set(services)
        first: dict[int, float] = {}
        for part in self.found.partitions:
            for raw, head, verdict in reversed(part.records):
                if raw.time <= at:
                    break
                made = head is not None and head.kind in (Kind.OUTCOME, Kind.FAILURE) and verdict < 16
                if made and head is not None and head.source.decode().rpartition("/")[2] in wanted:
                    first[part.number] = (raw.time - at) / 1000
        return first

    async def recovery(
        self, what: str, at: int, services: Iterable[str], partitions: Iterable[int], promised: float | None = None
    ) -> float:
        """Wait until each of some partitions has an outcome again, and note how long the last one took.

        Args:
            promised: seconds within which it is to be (`Trial.within`); None: it is told, whatever it is.
        """
        wanted, starvation = set(partitions), Starvation()
        await self.until(lambda: wanted <= self.closings_after(at, services).keys(), f"recovery from {what}")
        took = max(seconds for p, seconds in self.closings_after(at, services).items() if p in wanted)
        self.trial.recovered(what, took)
        if promised is not None:
            self.trial.within(what, took, starvation.seconds, promised)
        return took

    def partitions_of(self, hand: Hand) -> set[int]:
        """The partitions in which a worker worked of late."""
        return self.census.partitions_of(hand)
