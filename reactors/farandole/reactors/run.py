"""What a handler is given about its run: its start, and its history up to the trigger."""

from collections.abc import Iterable, Sequence
from typing import Any, Generic, Protocol, overload

from typing_extensions import TypeVar

from farandole.schemas import Event, Start

S_co = TypeVar("S_co", bound=Start, default=Start, covariant=True)
A = TypeVar("A", bound=Event)
B = TypeVar("B", bound=Event)
C = TypeVar("C", bound=Event)
D = TypeVar("D", bound=Event)
E = TypeVar("E", bound=Event)


class History(Protocol):
    """Where a run's events up to the trigger are read."""

    async def events(self, types: Sequence[type[Event]]) -> list[Event]:
        """The admitted events of these types, in the order of the log; of all types if none is named."""
        ...


class GivenHistory:
    """A history held in memory: for tests of a handler."""

    def __init__(self, events: Iterable[Event]) -> None:
        self._events = list(events)

    async def events(self, types: Sequence[type[Event]]) -> list[Event]:
        wanted = tuple(types)
        return [event for event in self._events if not wanted or type(event) in wanted]


class Run(Generic[S_co]):
    """The run that a step belongs to, as its handler sees it: up to the trigger, and not beyond.

    ``Run("order-17", OrderPlaced(...), [PaymentTaken(...)])`` serves in a unit test.
    """

    __slots__ = ("_history", "_id", "_start")

    def __init__(self, id: str, start: S_co, history: History | Iterable[Event] = ()) -> None:
        self._id = id
        self._start = start
        self._history: History = GivenHistory(history) if isinstance(history, Iterable) else history

    @property
    def id(self) -> str:
        """The run's id."""
        return self._id

    @property
    def start(self) -> S_co:
        """The event that opened the run."""
        return self._start

    @overload
    async def events(self) -> list[Event]: ...
    @overload
    async def events(self, a: type[A], /) -> list[A]: ...
    @overload
    async def events(self, a: type[A], b: type[B], /) -> list[A | B]: ...
    @overload
    async def events(self, a: type[A], b: type[B], c: type[C], /) -> list[A | B | C]: ...
    @overload
    async def events(self, a: type[A], b: type[B], c: type[C], d: type[D], /) -> list[A | B | C | D]: ...
    @overload
    async def events(
        self, a: type[A], b: type[B], c: type[C], d: type[D], e: type[E], /
    ) -> list[A | B | C | D | E]: ...
    @overload
    async def events(self, *types: type[Event]) -> list[Event]: ...
    async def events(self, *types: type[Event]) -> Any:
        """The run's events of these types, in order, up to and with the trigger; if none is named, of all types that
        this service knows."""
        return await self._history.events(types)
