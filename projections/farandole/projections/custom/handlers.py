"""The handlers of a projection: what their signatures say."""

import inspect
import typing
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from farandole.projections.annotations import expand, members, shown
from farandole.projections.marking import given_to, taken_by
from farandole.projections.recorded import Recorded
from farandole.schemas import DeclarationError, Event, event_info

_MANY: Final = (Iterable, Sequence, Collection, list)


class Handler(NamedTuple):
    """A method that takes events."""

    name: str
    events: tuple[type[Event], ...]
    many: bool
    """It takes those that came together at once, and not one after the other."""
    writes: bool
    """It is given a connection."""


def handlers_of(cls: type, inherited: Mapping[str, Handler]) -> dict[str, Handler]:
    """The handlers of a class by the names of the events that they take, its own before those it inherits.

    Raises:
        DeclarationError: one is async or takes no recorded events, or two take the same.
    """
    own: dict[str, Handler] = {}
    for name, method in vars(cls).items():
        annotation = taken_by(method)
        if annotation is None:
            continue
        handler = _read(method, name, annotation, f"{cls.__name__}.{name}")
        for event in handler.events:
            other = own.setdefault(event_info(event).name, handler)
            if other is not handler:
                raise DeclarationError(f"{cls.__name__}: '{other.name}' and '{name}' both take {event.__name__}")
    return {**inherited, **own}


def _read(method: Any, name: str, annotation: Any, where: str) -> Handler:
    if inspect.iscoroutinefunction(inspect.unwrap(method)):
        raise DeclarationError(f"{where}: it is async, but rows follow from events alone; write a plain def")
    taken = expand(annotation, where)
    many = typing.get_origin(taken) in _MANY
    if many:
        (taken,) = typing.get_args(taken)
    events: dict[type[Event], None] = {}
    for member in members(taken, where):
        if typing.get_origin(member) is not Recorded:
            raise DeclarationError(
                f"{where}: takes {shown(annotation)}; write Recorded[{shown(member)}], or Iterable[Recorded[...]] for "
                "many at once"
            )
        (inner,) = typing.get_args(member)
        events |= dict.fromkeys(_event(event, where) for event in members(inner, where))
    return Handler(name, tuple(events), many, _writes(given_to(method), where))


def _event(event: Any, where: str) -> type[Event]:
    if not (isinstance(event, type) and issubclass(event, Event)):
        raise DeclarationError(f"{where}: {shown(event)} is no event")
    if event_info(event).abstract:
        raise DeclarationError(f"{where}: {event.__name__} is not an event of its own; name the events, as A | B")
    return event


def _writes(given: Sequence[inspect.Parameter], where: str) -> bool:
    if not given:
        return False
    if len(given) > 1:
        raise DeclarationError(f"{where}: takes events and perhaps a connection, and nothing else")
    annotation = given[0].annotation
    if (getattr(annotation, "__module__", "").partition(".")[0], shown(annotation)) != ("sqlalchemy", "Connection"):
        raise DeclarationError(
            f"{where}: parameter '{given[0].name}' is {shown(annotation)}, but what a handler is given besides events is "
            "a sqlalchemy.Connection"
        )
    return True
