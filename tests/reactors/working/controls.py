"""Controls for tests of workers and clients: events, a stage to put them on, and what can go wrong there."""

import asyncio
import functools
import inspect
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping
from contextlib import asynccontextmanager
from itertools import count
from typing import Any, NamedTuple, ParamSpec

from tests.reactors.working.breakable import Assigned as Assigned
from tests.reactors.working.breakable import Breakable as Breakable

from farandole.eventstore import (
    Clock,
    EventStore,
    LoopClock,
    Stored,
    connect,
)
from farandole.projections.checkpoints import EVERY, Every
from farandole.projections.fold import Applied, Fold, Verdict
from farandole.reactors import Choreography, Client
from farandole.reactors.genesis import establish
from farandole.reactors.provide import Providers
from farandole.reactors.scribe import Scribe
from farandole.reactors.service import open_log, scribe_of, types_of
from farandole.reactors.worker import Worker
from farandole.schemas import End, Event, Signal, Start
from farandole.schemas.envelope import Kind, unpack
from farandole.testing import run_virtual

P = ParamSpec("P")

_numbers = count(1)
_HOURS_OF_VIRTUAL_TIME = 3


class Begun(Start):
    n: int = 0


class Went(Event):
    n: int = 0


class Met(Event):
    n: int = 0


class Nudged(Signal):
    note: str = ""


class Done(End):
    n: int = 0


class Stopped(End):
    why: str = ""


def virtual(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Run a test on virtual time, a few hours of it at most."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        async def limited() -> None:
            async with asyncio.timeout(_HOURS_OF_VIRTUAL_TIME * 3600):
                await test(*args, **kwargs)

        run_virtual(limited())

    run.__signature__ = inspect.signature(test)  # type: ignore[attr-defined]
    del run.__wrapped__
    return run


async def eventually(condition: Callable[[], object], within: float = 60.0) -> None:
    """Wait until a condition holds.

    Raises:
        TimeoutError: it did not within so many seconds.
    """
    async with asyncio.timeout(within):
        while not condition():
            await asyncio.sleep(0.02)


class AtWork:
    """A worker that runs."""

    def __init__(self, worker: Worker, store: Breakable, task: "asyncio.Task[None]") -> None:
        self.worker = worker
        self.store = store
        self.task = task

    async def ready(self) -> "AtWork":
        ready = asyncio.ensure_future(self.worker.until_ready())
        await asyncio.wait({ready, self.task}, return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        if self.task.done():
            self.task.result()
        return self

    async def stop(self) -> None:
        """Gracefully."""
        self.worker.stop()
        await self.task
        await self.store.close()

    async def kill(self) -> None:
        """As by ``kill -9``: whatever it does from now on reaches nobody."""
        self.store.dead = True
        await self.store.close()
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


class Step(NamedTuple):
    """An admitted outcome."""

    run: str
    reactor: str
    trigger: bytes
    gave: tuple[str, ...]


class Folded(NamedTuple):
    """A whole log, folded."""

    folds: list[Fold]
    records: list[tuple[Stored, Applied]]

    @property
    def steps(self) -> list[Step]:
        """Admitted outcomes in the order of the log."""
        return [
            Step(
                record.key.decode(),
                out.envelope.reactor.decode(),
                out.envelope.causation,
                tuple(fact.type.decode().rpartition(".")[2] for fact in out.admitted),
            )
            for record, out in self.records
            if out.envelope is not None
            and record.key is not None
            and out.envelope.kind == Kind.OUTCOME
            and out.verdict is Verdict.ADMITTED
        ]

    def of(self, kind: Kind, verdict: Verdict | None = Verdict.ADMITTED) -> list[tuple[Stored, Applied]]:
        """Records of one kind; of any verdict if that is None."""
        return [
            (record, out)
            for record, out in self.records
            if out.envelope is not None and out.envelope.kind == kind and verdict in (None, out.verdict)
        ]

    @property
    def verdicts(self) -> Counter[str]:
        return Counter(Verdict(out.verdict).name for _, out in self.records)

    @property
    def open(self) -> list[str]:
        return [run.decode() for fold in self.folds for run in fold.runs]

    def once_each(self) -> bool:
        """Whether no step was admitted twice."""
        return max(Counter((s.run, s.reactor, s.trigger) for s in self.steps).values(), default=0) <= 1


class Stage:
    """One log, with workers and clients on it.

    Args:
        url: where the log is; a new one in memory by default.
        clock: stamps it; virtual time by default.
    """

    def __init__(self, url: str | None = None, *, partitions: int = 1, clock: Clock | None = None) -> None:
        self.url = url or f"memory://stage-{next(_numbers)}"
        self.partitions = partitions
        self.clock = clock or LoopClock()
        self._workers: list[AtWork] = []
        self._clients: list[Client] = []
        self._stores: list[EventStore] = []

    async def __aenter__(self) -> "Stage":
        return self

    async def __aexit__(self, *exc: object) -> None:
        for client in self._clients:
            await client.close()
        for at_work in self._workers:
            at_work.task.cancel()
            await asyncio.gather(at_work.task, return_exceptions=True)
            await at_work.store.close()
        for store in self._stores:
            await store.close()

    async def store(self, name: str) -> EventStore:
        store = await connect(self.url, name, partitions=self.partitions, clock=self.clock)
        self._stores.append(store)
        return store

    async def make(self, choreography: Choreography, settings: Mapping[str, int]) -> None:
        """Make the log, with settings of its own."""
        store = await self.store(choreography.name)
        await establish(store, self.scribe(choreography), settings)

    def scribe(self, choreography: Choreography, origin: str = "test") -> Scribe:
        """Writes records by hand."""
        return scribe_of(choreography, types_of(choreography), origin, self.clock)

    async def worker(
        self,
        choreography: Choreography,
        *,
        wait: bool = True,
        member: str | None = None,
        owns: Assigned | None = None,
        take_over: bool = False,
        grace: float = 30.0,
        memory: int = 64 << 20,
        random: Callable[[], float] = lambda: 0.999,
        prepare: Callable[[Breakable], None] = lambda store: None,
        checkpoints: Every = EVERY,
    ) -> AtWork:
        """Start a worker, and wait until it is restored."""
        choreography.load()
        store = Breakable(await self.store(choreography.name), owns)
        prepare(store)
        scribe = await open_log(choreography, store, choreography.service, self.clock, works=True)
        providers = Providers(choreography.providers)
        handlers = [h for r in choreography.reactors for h in r.handlers()]
        provided = {h.id: await providers.supply(h.signature.provided) for h in handlers}
        worker = Worker(
            choreography, store, scribe, provided,
            member=member, take_over=take_over, grace=grace, memory=memory, random=random,
            abroad=functools.partial(connect, self.url, create=False, clock=self.clock), checkpoints=checkpoints,
        )  # fmt: skip
        at_work = AtWork(worker, store, asyncio.create_task(worker.run()))
        self._workers.append(at_work)
        return await at_work.ready() if wait else at_work

    async def client(self, choreography: Choreography) -> Client:
        store = Breakable(await self.store(choreography.name))
        client = Client(store, await open_log(choreography, store, "client", self.clock), owns_store=False)
        self._clients.append(client)
        return client

    async def fold(self, choreography: Choreography) -> Folded:
        """Fold the whole log as it is now."""
        store = await self.store(choreography.name)
        folds = [Fold(p, store.partitions) for p in range(store.partitions)]
        ends = await store.ends(range(store.partitions))
        records: list[tuple[Stored, Applied]] = []
        reader = store.reader()
        reader.follow(dict.fromkeys(range(store.partitions), 0))
        while any(fold.position < ends[fold.partition].next for fold in folds):
            for batch in await reader.read():
                wanted = [record for record in batch if record.offset < ends[record.partition].next]
                records += [(record, folds[record.partition].apply(record)) for record in wanted]
        await reader.close()
        return Folded(folds, records)

    async def folded(
        self, choreography: Choreography, wanted: Callable[[Folded], object], within: float = 60.0
    ) -> Folded:
        """Fold the log again and again until it is as wanted.

        Raises:
            TimeoutError: it was not within so many seconds.
        """
        async with asyncio.timeout(within):
            while not wanted(folded := await self.fold(choreography)):
                await asyncio.sleep(0.1)
            return folded


def kinds(records: Iterable[Stored]) -> list[Kind]:
    return [Kind(unpack(record.headers).kind) for record in records]


@asynccontextmanager
async def a_stage(choreography: Choreography, *, partitions: int = 1) -> AsyncIterator[tuple[Stage, Client, AtWork]]:
    """A stage with one worker and one client."""
    async with Stage(partitions=partitions) as stage:
        at_work = await stage.worker(choreography)
        yield stage, await stage.client(choreography), at_work
