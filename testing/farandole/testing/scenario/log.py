"""One choreography in a scenario: its log in memory, a client of it, and workers for each of its services."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from itertools import count
from typing import Any, Final

from farandole.eventstore import Clock, EventStore, connect
from farandole.projections.checkpoints import NEVER
from farandole.projections.fold import Fold
from farandole.reactors import Choreography, Client, Provider
from farandole.reactors.follower import Follower
from farandole.reactors.genesis import establish
from farandole.reactors.offers import find
from farandole.reactors.provide import Providers
from farandole.reactors.scribe import Scribe
from farandole.reactors.service import open_log, supplied, types_of
from farandole.reactors.worker import Worker
from farandole.schemas import EventTypes
from farandole.schemas.catalogue import register
from farandole.schemas.envelope import Kind

from .hand import Hand

SOURCE: Final = "scenario"
"""Who wrote what the test itself sends, as its records say."""
_IDLE: Final = 3600.0
"""Seconds of virtual time for which nobody looks for news that do not come: a week of nothing costs nothing."""

Replaced = Sequence[tuple[Provider[Any], Any]]


class Log:
    """A log with everybody who works on it, in one process and on one event loop.

    Args:
        services: choreographies of one name; each is served by workers of its own.
        url: where the log is made.
        workers: for each service; the log has as many partitions.
        settings: admission settings of the log that differ from those of every scenario.
        replaced: what handlers are given instead of what a provider would make.
    """

    def __init__(
        self,
        services: Sequence[Choreography],
        url: str,
        clock: Clock,
        *,
        workers: int,
        settings: Mapping[str, int],
        replaced: Replaced,
    ) -> None:
        self.name = services[0].name
        self.services = services
        self.workers: list[Worker] = []
        self.store: EventStore
        self.client: Client
        self.hand: Hand
        self._url = url
        self._clock = clock
        self._each = workers
        # Contracts are there before anything else, so nothing has to settle.
        self._settings = {"settle": 0, **settings}
        self._replaced = replaced
        self._running: list[asyncio.Task[None]] = []
        self._told = False
        self._stack = AsyncExitStack()

    async def open(self) -> None:
        """Make the log, with the contracts of all services in force, and nobody at work yet."""
        for service in self.services:
            service.load()
            await find(service, partial(connect, self._url, create=False, clock=self._clock))
        store = self.store = await connect(self._url, self.name, partitions=self._each, clock=self._clock)
        self._stack.push_async_callback(store.close)
        types = self._types()
        await register(store.catalogue, types)
        scribe = self._scribe(types)
        await establish(store, scribe, self._settings, log_id=SOURCE)
        for service in self.services:
            for _ in range(self._each):
                self.workers.append(await self._worker(service))
        self.client = Client(store, scribe, owns_store=False)
        self.client.follower = Follower(store, everything=True, idle=_IDLE)
        self._stack.push_async_callback(self.client.close)
        self.hand = Hand(self.client, taken={r.name for s in self.services for r in s.reactors})
        contracts = {c.reactor: c.content for w in reversed(self.workers) for c in w.contracts}
        for partition in range(store.partitions):
            await store.append(partition, scribe.control(Kind.CONTRACT, [*contracts.values(), self.hand.contract]))

    async def begin(self) -> None:
        """Let the workers work, unless they do."""
        if self._running or not self.workers:
            return
        self._running = [asyncio.create_task(w.run(), name=f"worker of {self.name}") for w in self.workers]
        ready = asyncio.create_task(self._until_ready())
        await asyncio.wait((ready, *self._running), return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        self.check()

    async def _until_ready(self) -> None:
        for worker in self.workers:
            await worker.until_ready()

    def check(self) -> None:
        """Raise what a worker broke down with."""
        for task in self._running:
            if task.done():
                self._told = True
                task.result()

    async def close(self) -> None:
        """Let everybody go.

        Raises:
            Exception: whatever a worker broke down with, unless it was raised before, or a provider while it closed.
        """
        for task in self._running:
            task.cancel()  # whoever is at work when the test ends is not waited for
        ended = await asyncio.gather(*self._running, return_exceptions=True)
        await self._stack.aclose()
        for error in ended:
            if isinstance(error, Exception) and not self._told:
                raise error

    @property
    def at_work(self) -> Iterator[tuple[str, Callable[..., Any]]]:
        """Reactors whose handlers are at work, each with its function."""
        for worker in self.workers:
            for service in self.services:
                for reactor in service.reactors:
                    if worker.stats.reactors.get(reactor.name) and worker.dispatcher.running(reactor.name):
                        yield reactor.name, reactor.fn

    def fold(self, run_id: str) -> Fold:
        """The state of the partition that a run is in."""
        return self.client.follower.fold(self.store.partition_of(run_id.encode()))

    def _types(self) -> EventTypes:
        """Of classes of one name the one that is written with, so that nothing is lost of an event."""
        each = [types_of(service) for service in reversed(self.services)]
        read = {types.wire_name(event): event for types in each for event in types if types.only_reads(event)}
        written = {types.wire_name(event): event for types in each for event in types if not types.only_reads(event)}
        reads = [event for name, event in read.items() if name not in written]
        return EventTypes(self.name, [*written.values(), *reads], self.services[0].codec, reads=reads, service=SOURCE)

    def _scribe(self, types: EventTypes) -> Scribe:
        """Writes what the test sends, under ids that are the same each time: so are the keys of steps."""
        numbers = count(1)
        return Scribe(self.name, SOURCE, types, self._now, new_id=lambda: b"x%032x" % next(numbers))

    def _now(self) -> int:
        return self._clock.now() * 1000

    async def _worker(self, service: Choreography) -> Worker:
        scribe = await open_log(service, self.store, service.service, self._clock, works=True)
        providers = Providers(service.providers, self.store)
        for provider, value in self._replaced:
            if provider in service.providers:
                providers.replace(provider, value)
        await self._stack.enter_async_context(providers)
        return Worker(
            service,
            self.store,
            scribe,
            {h.id: await supplied(h, providers) for r in service.reactors for h in r.handlers()},
            random=lambda: 1.0,  # a wait between two attempts is as long as it says
            idle=_IDLE,
            rounds=_rounds(self._settings.get("expire_after", 0)),
            checkpoints=NEVER,
            lag=False,
            abroad=partial(connect, self._url, create=False, clock=self._clock),
        )


def _rounds(expire_after: int) -> float:
    """How often the keeper looks around, in seconds: seldom, unless it has runs to close in time."""
    return min(max(expire_after / 100_000, 1.0), _IDLE) if expire_after else _IDLE
