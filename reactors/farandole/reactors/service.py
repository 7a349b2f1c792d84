"""From a declared choreography to a worker or a client at work on its log."""

import asyncio
import contextlib
import gc
import logging
import signal
import warnings
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final

from farandole.eventstore import Clock, EventStore, SystemClock, connect
from farandole.schemas import (
    EventTypes,
    FarandoleError,
    IncompatibleSchema,
    PayloadCodec,
    RegistryRefused,
    error_text,
)
from farandole.schemas.catalogue import may_only_read, register, retire_readers

from .client import Client
from .errors import ProviderFailed
from .genesis import establish
from .introducing import PATIENCE, introduce
from .metrics import MetricsServer
from .offers import find
from .provide import Providers
from .reactor import Reactor
from .scribe import Scribe
from .worker import GRACE, Worker

if TYPE_CHECKING:
    from .choreography import Choreography

log = logging.getLogger("farandole.worker")

_COLLECT: Final = (20_000, 20, 50)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOptions:
    """How a worker runs.

    Attributes:
        member: a stable name of this process; one that comes back under its name gets its partitions back at once.
        take_over: bring this process's contracts into force even over another service's, or a newer release's.
        grace: seconds that handlers at work are given to end when the worker stops.
        metrics_port: serve Prometheus metrics and readiness there; None: nowhere.
        metrics_host: the address to serve them on.
        partitions: how many partitions the log gets if it is made now.
        memory: bytes of recorded values that may wait in memory.
    """

    member: str | None = None
    take_over: bool = False
    grace: float = GRACE
    metrics_port: int | None = None
    metrics_host: str = "127.0.0.1"
    partitions: int | None = None
    memory: int = 64 << 20


def types_of(choreography: "Choreography", codec: PayloadCodec | None = None, *, binds: bool = False) -> EventTypes:
    """How a choreography's events are written and read.

    Args:
        binds: whether those who write an event have to heed what is only read of it here.
    """
    events = choreography.events.values()
    given = {event for reactor in choreography.reactors for event in reactor.signature.gives.events}
    reads = {event for event in events if may_only_read(event) and event not in given}
    return EventTypes(
        choreography.name, events, codec or choreography.codec, reads=reads, service=choreography.service, binds=binds
    )


def scribe_of(choreography: "Choreography", types: EventTypes, origin: str, clock: Clock) -> Scribe:
    return Scribe(choreography.name, origin, types, lambda: clock.now() * 1000)


async def open_log(
    choreography: "Choreography",
    store: EventStore,
    origin: str,
    clock: Clock,
    *,
    patience: float | None = PATIENCE,
    works: bool = False,
) -> Scribe:
    """Learn and publish the schemas, and write the genesis of a log that is new.

    Args:
        works: reactors will be at work, so that what their service only reads binds those who write it.
        patience: seconds to wait for a schema registry that must first number what every log has; None: for ever.

    Raises:
        IncompatibleSchema: an event's recorded schema and its class do not fit, or the schema registry refuses it.
        StoreUnavailable: the schema registry cannot be reached, and cannot be done without.
    """
    types = types_of(choreography, binds=works)
    try:
        await register(store.catalogue, types, admit=partial(introduce, store, patience=patience))
    except RegistryRefused:
        raise
    except IncompatibleSchema as e:
        raise IncompatibleSchema(
            f"the log at {store.url} has events of these names with other fields. If it is another program's, name "
            f"another store. {e}"
        ) from e
    if works:
        await retire_readers(store.catalogue, choreography.service, lambda name: types.type_of(name) is not None)
    scribe = scribe_of(choreography, types, origin, clock)
    if await establish(store, scribe) and not store.url.startswith("memory:"):
        log.info("made a new log at %s, %d partitions", store.url, store.partitions)
    return scribe


class Connecting:
    """What `Choreography.connect` returns: ``async with`` gives the client; ``await`` gives one to close oneself."""

    def __init__(
        self, choreography: "Choreography", url: str | None, partitions: int | None, clock: Clock | None = None
    ) -> None:
        self._choreography = choreography
        self._url = url
        self._partitions = partitions
        self._clock = clock or SystemClock()
        self._client: Client | None = None

    async def _open(self) -> Client:
        choreography = self._choreography
        choreography.load()
        store = await connect(self._url, choreography.name, partitions=self._partitions, clock=self._clock)
        try:
            scribe = await open_log(choreography, store, "client", self._clock)
        except BaseException:
            await store.close()
            raise
        return Client(store, scribe)

    def __await__(self) -> Generator[Any, Any, Client]:
        return self._open().__await__()

    async def __aenter__(self) -> Client:
        self._client = await self._open()
        return self._client

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._client is not None:
            await self._client.close()


class Working:
    """What `Choreography.work` returns.

    ``await`` works until SIGTERM or SIGINT; ``async with`` works while the block runs and gives a client of the same
    log, for a worker inside another application.
    """

    def __init__(
        self, choreography: "Choreography", url: str | None, options: WorkOptions, clock: Clock | None = None
    ) -> None:
        self._choreography = choreography
        self._url = url
        self._options = options
        self._clock = clock or SystemClock()
        self._stack = AsyncExitStack()
        self._used = False

    def __del__(self) -> None:
        if not self._used:
            warnings.warn(
                f"{self._choreography.name}.work(...) was never awaited, so nothing worked",
                RuntimeWarning,
                stacklevel=2,
            )

    def __await__(self) -> Generator[Any, Any, None]:
        self._used = True
        return self._until_signal().__await__()

    async def __aenter__(self) -> Client:
        self._used = True
        worker, client = await self._stack.enter_async_context(self._worker())
        try:
            running = asyncio.create_task(worker.run(), name=f"worker of {self._choreography.service}")
            running.add_done_callback(_report)
            self._stack.push_async_callback(_stop, worker, running)
            ready = asyncio.create_task(worker.until_ready())
            await asyncio.wait({running, ready}, return_when=asyncio.FIRST_COMPLETED)
            ready.cancel()
            if running.done():
                running.result()
        except BaseException:
            await self._stack.aclose()
            raise
        return client

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def _until_signal(self) -> None:
        loop = asyncio.get_running_loop()
        # The state of a hundred thousand runs is many objects that live long and hold no cycles; at the default
        # thresholds the collector would walk them over and over. Only where the process is the worker's own.
        gc.freeze()
        gc.set_threshold(*_COLLECT)
        starting, worker, unstarted = asyncio.current_task(), None, False

        def stop() -> None:
            nonlocal unstarted
            if worker is not None:
                worker.stop()
            elif starting is not None:
                # It may be waiting for a log that is away.
                unstarted = starting.cancel()

        with _signals(loop, stop):
            try:
                async with self._worker() as (worker, _):
                    await worker.run()
            except asyncio.CancelledError:
                if not unstarted or starting is None or starting.uncancel():
                    raise

    @asynccontextmanager
    async def _worker(self) -> AsyncIterator[tuple[Worker, Client]]:
        choreography, options = self._choreography, self._options
        choreography.load()
        if not choreography.reactors:
            log.warning(
                "service %s has no reactors, so this worker does nothing: import the modules that declare them, or name "
                'them: Choreography("%s", include=["%s.reactors"])',
                choreography.service, choreography.name, choreography.name,
            )  # fmt: skip
        async with AsyncExitStack() as stack:
            store = await connect(self._url, choreography.name, partitions=options.partitions, clock=self._clock)
            stack.push_async_callback(store.close)
            abroad = partial(connect, self._url, create=False, clock=self._clock)
            await find(choreography, abroad)
            scribe = await open_log(choreography, store, choreography.service, self._clock, patience=None, works=True)
            providers = await stack.enter_async_context(Providers(choreography.providers, store))
            provided = {h.id: await supplied(h, providers) for r in choreography.reactors for h in r.handlers()}
            worker = Worker(
                choreography,
                store,
                scribe,
                provided,
                member=options.member,
                take_over=options.take_over,
                grace=options.grace,
                memory=options.memory,
                abroad=abroad,
            )
            if options.metrics_port is not None:
                stack.enter_context(MetricsServer(worker, options.metrics_host, options.metrics_port))
            origin = scribe_of(choreography, scribe.types, "client", self._clock)
            client = Client(store, origin, owns_store=False)
            stack.push_async_callback(client.close)
            yield worker, client


def _report(running: "asyncio.Task[None]") -> None:
    """Whoever is inside the block of a worker that broke down would otherwise only learn of it at the block's end."""
    if not running.cancelled() and (error := running.exception()) is not None:
        log.error("the %s has broken down: %s", running.get_name(), error)


async def supplied(reactor: Reactor, providers: Providers) -> dict[str, Any]:
    """What providers make for one reactor.

    Raises:
        ProviderFailed: one of them could not.
    """
    try:
        return await providers.supply(reactor.signature.provided)
    except FarandoleError:
        raise
    except Exception as e:
        wanted = ", ".join(f"'{name}'" for name in reactor.signature.provided)
        raise ProviderFailed(
            f"{reactor.where}: a provider failed to make what the reactor takes ({wanted}): {type(e).__name__}: "
            f"{error_text(e)}"
        ) from e


async def _stop(worker: Worker, running: "asyncio.Task[None]") -> None:
    worker.stop()
    await running


@contextlib.contextmanager
def _signals(loop: asyncio.AbstractEventLoop, stop: Callable[[], None]) -> Generator[None, None, None]:
    """SIGTERM and SIGINT ask the worker to stop; a second one ends the process as usual."""
    caught: list[signal.Signals] = []

    def told(sign: signal.Signals) -> None:
        log.info("%s: finishing what is at work", sign.name)
        stop()
        for s in caught:
            loop.remove_signal_handler(s)
        caught.clear()

    for sign in (signal.SIGTERM, signal.SIGINT):
        # Windows has none, nor has a thread that is not the main one.
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            loop.add_signal_handler(sign, told, sign)
            caught.append(sign)
    try:
        yield
    finally:
        for s in caught:
            loop.remove_signal_handler(s)
