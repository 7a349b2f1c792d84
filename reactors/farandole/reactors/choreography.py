"""`Choreography`: where event types, reactors and providers that share one log are declared."""

import importlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeVar, overload

from farandole.projections import Projection
from farandole.schemas import DeclarationError, Duration, Event, PayloadCodec, Start, event_info

from .graph import check_fan_ins, graph_of
from .offers import Finder
from .options import ReactorOptions, duration, named_events, unknown_options
from .outputs import AsyncOutcome
from .projecting import Projected, projected
from .provide import Provider, check_providers, missing, read_provider
from .reactor import Reactor, declare
from .registry import Registry
from .retry import STANDARD, Retry
from .schedules import CatchUp, Overlap, Schedule, schedule_of
from .service import Connecting, Working, WorkOptions
from .worker import GRACE

F = TypeVar("F", bound=Callable[..., AsyncOutcome])
T = TypeVar("T")
P = TypeVar("P", bound=Projection)

_NAME: Final = re.compile(r"[a-z](?:[a-z0-9_]{0,98}[a-z0-9])?")
_SERVICE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")


class Choreography:
    """A named set of event types and reactors that share one log, as one service of it sees them.

    Args:
        name: begins the names of its topics, its events on the wire and its messages.
        service: the reactors deployed together; the name itself unless given. Services of one choreography share
            event classes, never a `Choreography`.
        include: modules that declare more of it, imported by `load` before work begins.
        version: of this service's code, shown with its contracts.
        owner: who answers for the service, shown with its contracts.
        codec: what values pass through on their way to and from the log, such as compression or encryption.

    Raises:
        DeclarationError: a name cannot be one in Kafka and Avro.
    """

    def __init__(
        self,
        name: str,
        *,
        service: str | None = None,
        include: Sequence[str] = (),
        version: str = "",
        owner: str = "",
        codec: PayloadCodec | None = None,
    ) -> None:
        if not _NAME.fullmatch(name):
            raise DeclarationError(
                f"Choreography({name!r}): a name is of lower-case ASCII letters, digits and _ between them, and begins with a letter"
            )
        if service is not None and not _SERVICE.fullmatch(service):
            raise DeclarationError(
                f"Choreography({name!r}, service={service!r}): a service's name is of ASCII letters, digits, . _ and -"
            )
        if isinstance(include, str):
            raise DeclarationError(f"Choreography({name!r}): include= is a list of modules, as include=[{include!r}]")
        self.name = name
        self.service = name if service is None else service
        self.version = version
        self.owner = owner
        self.codec = codec
        self._include = tuple(include)
        self._reactors: Registry[Reactor] = Registry("reactors", lambda reactor: reactor.fn)
        self._events: Registry[type[Event]] = Registry("events", lambda event: event)
        self._providers: dict[Any, Provider[Any]] = {}
        self._schedules: dict[str, Schedule] = {}
        self.finders: dict[str, Finder] = {}
        """What is declared only when a worker begins, by who needs it. See `farandole.reactors.offers`."""
        self._projections: Registry[Projected] = Registry("projections", lambda projected: projected.projection)

    @property
    def reactors(self) -> tuple[Reactor, ...]:
        """The reactors declared so far."""
        return tuple(self._reactors.values())

    @property
    def events(self) -> Mapping[str, type[Event]]:
        """The event types that are known so far, by name: all that signatures name, and those given to `know`."""
        return self._events

    @property
    def providers(self) -> tuple[Provider[Any], ...]:
        """The providers declared so far."""
        return tuple(self._providers.values())

    @property
    def schedules(self) -> tuple[Schedule, ...]:
        """The schedules declared so far."""
        return tuple(self._schedules.values())

    @property
    def projections(self) -> tuple[Projected, ...]:
        """The projections declared so far."""
        return tuple(self._projections.values())

    @overload
    def reactor(self, fn: F, /) -> F: ...
    @overload
    def reactor(
        self,
        *,
        name: str | None = None,
        of: Callable[..., Any] | str | None = None,
        each: type[Event] | None = None,
        unless: type[Event] | Sequence[type[Event]] | None = None,
        retry: Retry | Sequence[Retry] = ...,
        timeout: Duration | None = None,
        deadline: Duration | None = None,
        concurrency: int = 100,
        ordered: bool = False,
        enough: int | None = None,
        within: Duration | None = None,
        compensate: Callable[..., Awaitable[None] | None] | None = None,
    ) -> Callable[[F], F]: ...
    def reactor(
        self,
        fn: Any = None,
        *,
        name: str | None = None,
        of: Callable[..., Any] | str | None = None,
        each: type[Event] | None = None,
        unless: type[Event] | Sequence[type[Event]] | None = None,
        retry: Retry | Sequence[Retry] = STANDARD,
        timeout: Duration | None = None,
        deadline: Duration | None = None,
        concurrency: int = 100,
        ordered: bool = False,
        enough: int | None = None,
        within: Duration | None = None,
        compensate: Callable[..., Any] | None = None,
        **unknown: object,
    ) -> Any:
        """Declare a function as a reactor. What it takes and returns is its subscription.

        The function comes back unchanged. Decorators go below this one.

        Args:
            name: on the wire, instead of the function's; keep it when the function is renamed.
            of: take failures of this reactor only; by its name where another service has it.
            each: the event of the fan-out that a ``list[...]`` gathers.
            unless: drop the timers that it returns once such an event is admitted after the trigger.
            retry: when a failed attempt is made again. Of several, the first whose ``on`` names the error decides.
            timeout: for one attempt. The thread of a plain function cannot be stopped, so its retry waits for it.
            deadline: for a step in all, from when it is owed: then it fails for good, whatever attempts are left.
            concurrency: handlers at once in one worker.
            ordered: one step at a time in a run, in the order of the log.
            enough: a fan-in fires at so many.
            within: a fan-in fires after so long, with what is there.
            compensate: a function that undoes the step; it takes what the step took or emitted.

        Raises:
            DeclarationError: the signature cannot be read, an option does not go with it, or the name is taken.
        """

        def add(fn: F) -> F:
            named = name or getattr(fn, "__name__", None) or type(fn).__name__
            where = f"{self.name}.{named}"
            if unknown:
                raise unknown_options(where, unknown)
            try:
                options = ReactorOptions(
                    name=named,
                    of=self._name_of(of),
                    each=each,
                    unless=named_events(unless),
                    retry=retry,
                    timeout=duration("timeout", timeout),
                    deadline=duration("deadline", deadline),
                    concurrency=concurrency,
                    ordered=ordered,
                    enough=enough,
                    within=duration("within", within),
                    compensate=compensate,
                )
            except DeclarationError as e:
                raise DeclarationError(f"{where}: {e}") from e
            self._add(declare(self.name, fn, options))
            return fn

        return add if fn is None else add(fn)

    @overload
    def provide(self, fn: Callable[..., AsyncIterator[T]], /) -> Provider[T]: ...
    @overload
    def provide(self, fn: Callable[..., Iterator[T]], /) -> Provider[T]: ...
    @overload
    def provide(self, fn: Callable[..., Awaitable[T]], /) -> Provider[T]: ...
    @overload
    def provide(self, fn: Callable[..., T], /) -> Provider[T]: ...
    def provide(self, fn: Callable[..., Any], /) -> Provider[Any]:
        """Declare a function that makes what handlers ask for by type: once a worker, if a reactor asks.

        One that yields closes after the ``yield`` what it opened before, when the worker has stopped. It takes what
        other providers make. A plain function runs on the event loop, so it should be quick.

        Raises:
            DeclarationError: it is not annotated, what it provides could not be asked for, or is provided already.
        """
        provider = read_provider(fn, self.name)
        known = self._providers.get(provider.provides)
        if known is not None and (known.fn.__module__, known.fn.__qualname__) != (fn.__module__, fn.__qualname__):
            raise DeclarationError(
                f"{provider.where}: {known.where} provides the same type; tell them apart by NewType, "
                "or remove one of them"
            )
        self._providers[provider.provides] = provider
        return provider

    def schedule(
        self,
        start: Start,
        /,
        *,
        name: str,
        cron: str | None = None,
        every: Duration | None = None,
        tz: str = "UTC",
        jitter: Duration | None = None,
        catch_up: CatchUp = "last",
        overlap: Overlap = "skip",
        first: datetime | None = None,
    ) -> None:
        """Start a run by the clock. It is data, so that any keeper can publish the ticks.

        Args:
            start: opens each run.
            name: unique in the choreography.
            cron: minute, hour, day of the month, month, day of the week.
            every: the time from one tick to the next, instead of ``cron``; counted from 1970, or from ``first``.
            tz: the time zone in which ``cron`` is read.
            jitter: start each run up to so much later, and before the next tick.
            catch_up: of ticks that nobody published in time, make up for ``none``, the ``last`` or ``all``.
            overlap: while the run of an earlier tick is open, ``skip`` leaves a tick out, ``allow`` starts a second run,
                ``queue`` starts it afterwards, ``replace`` cancels the earlier one.
            first: there is no tick before.

        Raises:
            DeclarationError: it cannot be read.
        """
        schedule = schedule_of(
            start,
            name=name,
            cron=cron,
            every=every,
            tz=tz,
            jitter=jitter,
            catch_up=catch_up,
            overlap=overlap,
            first=first,
        )
        self.know(type(start))
        self._schedules[name] = schedule

    @overload
    def project(self, projection: type[P], /) -> type[P]: ...
    @overload
    def project(self, *, also: "Sequence[Choreography]") -> Callable[[type[P]], type[P]]: ...
    def project(self, projection: Any = None, *, also: "Sequence[Choreography]" = ()) -> Any:
        """Declare a class as a projection, which `farandole project` then keeps. It comes back unchanged.

        Args:
            also: other choreographies whose events it takes, each those that it knows.

        Raises:
            DeclarationError: it takes no events, or its name is taken.
        """

        def add(projection: type[P]) -> type[P]:
            found = projected(projection, (self, *also))
            self._projections.add(found.name, found, self.name)
            return projection

        return add if projection is None else add(projection)

    def know(self, *types: type[Event]) -> None:
        """Make event types known that no signature here names, such as signals that are only looked up in a history.

        Raises:
            DeclarationError: one is not an event of its own, or another has its name.
        """
        for event in types:
            info = event_info(event)
            if info.abstract:
                raise DeclarationError(f"{self.name}: {event.__name__} is not an event of its own; name the events")
            self._events.add(info.name, event, self.name)

    def load(self) -> None:
        """Import the modules of ``include=``, and check what is only known when all is declared.

        Raises:
            DeclarationError: a module cannot be found, something that is asked for is not provided, providers need one
                another, or it is not clear which fan-out a ``list[...]`` gathers.
        """
        self.include()
        check_providers(self._providers)
        for reactor in self.reactors:
            for handler in reactor.handlers():
                for name, wanted in handler.signature.provided.items():
                    if wanted not in self._providers:
                        raise missing(handler.where, name, wanted)
        if any(trigger.form == "list" for reactor in self.reactors for trigger in reactor.signature.triggers):
            check_fan_ins(graph_of(self))

    def include(self) -> None:
        """Import the modules of ``include=``, and check nothing.

        Raises:
            DeclarationError: a module cannot be found.
        """
        for module in self._include:
            try:
                importlib.import_module(module)
            except ModuleNotFoundError as e:
                if e.name is None or not f"{module}.".startswith(f"{e.name}."):
                    raise
                raise DeclarationError(f"{self.name}: include= names {module}, but there is no module {e.name}") from e

    def connect(self, store: str | None = None, *, partitions: int | None = None) -> Connecting:
        """A client of this choreography: ``async with orders.connect("kafka://localhost:9092") as client: …``.

        Args:
            store: the URL of the log; None: the environment variable ``FARANDOLE_STORE``.
            partitions: how many partitions the log gets if it is made now; None: as many as it has, or 16.
        """
        return Connecting(self, store, partitions)

    def work(
        self,
        store: str | None = None,
        *,
        member: str | None = None,
        take_over: bool = False,
        grace: float = GRACE,
        metrics_port: int | None = None,
        metrics_host: str = "127.0.0.1",
        partitions: int | None = None,
        memory: int = 64 << 20,
    ) -> Working:
        """A worker of this service: ``await orders.work(url)`` works until SIGTERM.

        ``async with orders.work(url) as client: …`` works while the block runs, as inside another application, and
        gives a client of the same log.

        Args:
            store: the URL of the log; None: the environment variable ``FARANDOLE_STORE``.
            member: a stable name of this process; when it comes back under its name it gets its partitions at once.
            take_over: bring this service's contracts into force even over another service's, or a newer release's.
            grace: seconds that handlers at work are given to end when the worker stops.
            metrics_port: serve Prometheus metrics and readiness there.
            metrics_host: the address to serve them on.
            partitions: how many partitions the log gets if it is made now; None: as many as it has, or 16.
            memory: bytes of recorded values that may wait in memory; beyond that they are read again.
        """
        options = WorkOptions(
            member=member,
            take_over=take_over,
            grace=grace,
            metrics_port=metrics_port,
            metrics_host=metrics_host,
            partitions=partitions,
            memory=memory,
        )
        return Working(self, store, options)

    def _add(self, reactor: Reactor) -> None:
        for event in reactor.events():
            self._events.add(event_info(event).name, event, reactor.where)
        self._reactors.add(reactor.name, reactor, reactor.where)

    def _name_of(self, reactor: Callable[..., Any] | str | None) -> str | None:
        """The name of the reactor that ``of=`` names."""
        if reactor is None or isinstance(reactor, str):
            return reactor
        for known in self.reactors:
            if known.fn is reactor:
                return known.name
        name = getattr(reactor, "__name__", repr(reactor))
        raise DeclarationError(
            f"of={name} is no reactor of this choreography; declare it above, or give its name where another service "
            f"has it, as of='{name}'"
        )
