"""`State`: what a handler wants to know of its run, folded from the run's events. Pure.

class OrderState(State):
    address: str = ""

    @on
    def moved(self, event: OrderPlaced | AddressChanged) -> None:
        self.address = event.address
"""

import inspect
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Self, TypeVar

from pydantic import BaseModel, ConfigDict

from farandole.schemas import DeclarationError, Event, FarandoleError, event_info

from .annotations import members, shown
from .marking import taken_by

S = TypeVar("S", bound="State")
Method = Callable[[Any, Any], None]


class StateFailed(FarandoleError):
    """A method of a state raised. It is pure, so it would raise again."""


class State(BaseModel):
    """The base of folded states. It begins empty, so each field has a default; `on` methods change it, event by event.

    An event that no method takes is passed over. Events are matched by name. A subclass inherits the methods, and its
    own go before those it inherits.

    Raises:
        DeclarationError: at the class: a field without a default, a method that takes no concrete event or is async,
            or two methods that take the same event.
    """

    model_config = ConfigDict(extra="forbid")

    _takes: ClassVar[Mapping[str, tuple[type[Event], str]]] = MappingProxyType({})

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        for name, field in cls.model_fields.items():
            if field.is_required():
                raise DeclarationError(f"{cls.__name__}: field '{name}' has no default, but a state begins empty")
        own: dict[str, tuple[type[Event], str]] = {}
        for name, method in vars(cls).items():
            annotation = taken_by(method)
            if annotation is None:
                continue
            for event in _events(method, annotation, f"{cls.__name__}.{name}"):
                _, other = own.setdefault(event_info(event).name, (event, name))
                if other != name:
                    raise DeclarationError(f"{cls.__name__}: '{other}' and '{name}' both take {event.__name__}")
        cls._takes = MappingProxyType({**cls._takes, **own})

    @classmethod
    def folds(cls) -> tuple[type[Event], ...]:
        """The events that the state is made of."""
        return tuple(event for event, _ in cls._takes.values())

    def folded(self, events: Iterable[Event]) -> Self:
        """The state after these events. The state that it is called on stays as it was.

        Raises:
            StateFailed: a method raised.
        """
        state = self.model_copy(deep=True)
        state.apply(events)
        return state

    def apply(self, events: Iterable[Event]) -> None:
        """Go on to the state after these events, in place: for who keeps a state and nobody else sees it.

        Raises:
            StateFailed: a method raised; the state may be changed by half.
        """
        takes = self._takes
        for event in events:
            found = takes.get(event_info(type(event)).name)
            if found is not None:
                try:
                    getattr(self, found[1])(event)
                except Exception as e:
                    where = f"{type(self).__name__}.{found[1]}"
                    raise StateFailed(f"{where} failed at {type(event).__name__}: {e!r}") from e


def fold_state(state: type[S], events: Iterable[Event]) -> S:
    """The state that these events make, from an empty one.

    Raises:
        StateFailed: a method raised.
    """
    found = state()
    found.apply(events)
    return found


def _events(method: Any, annotation: Any, where: str) -> tuple[type[Event], ...]:
    if inspect.iscoroutinefunction(inspect.unwrap(method)):
        raise DeclarationError(f"{where}: it is async, but a state is folded from its events alone; write a plain def")
    found = members(annotation, where)
    for event in found:
        if not (isinstance(event, type) and issubclass(event, Event)):
            raise DeclarationError(f"{where}: takes {shown(annotation)}, but {shown(event)} is no event")
        if event_info(event).abstract:
            raise DeclarationError(f"{where}: {event.__name__} is not an event of its own; name the events, as A | B")
    return found
