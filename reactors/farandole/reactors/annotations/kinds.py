"""Which annotations are events, of which kind, and which could be provided."""

import typing
from typing import Any, Literal, NewType, TypeGuard

from farandole.projections.annotations import shown
from farandole.schemas import DeclarationError, Event, event_info

Kind = Literal["event", "start", "signal", "answer", "end"]

_NEVER_PROVIDED = (typing.Any, typing.Literal, typing.ClassVar, typing.Final)


def is_event(annotation: Any) -> TypeGuard[type[Event]]:
    """Whether the annotation is an event class, abstract ones and generics included."""
    return isinstance(annotation, type) and issubclass(annotation, Event)


def concrete(event: type[Event], where: str) -> type[Event]:
    """The event itself, if records can have its name.

    Raises:
        DeclarationError: it is abstract, or generic.
    """
    if event_info(event).abstract:
        raise DeclarationError(f"{where}: {event.__name__} is not an event of its own; name the events, as A | B")
    return event


def kind_of(event: type[Event]) -> Kind:
    """``event``, ``start``, ``signal``, ``answer`` or ``end``."""
    return event_info(event).kind


def is_providable(annotation: Any) -> bool:
    """Whether `@provide` can be asked for the annotation: a class of somebody's own, a generic of one, or a NewType."""
    if isinstance(annotation, NewType):
        return True
    origin = typing.get_origin(annotation) or annotation
    return isinstance(origin, type) and origin.__module__ != "builtins" and origin not in _NEVER_PROVIDED


def neither(parameter: str, annotation: Any, where: str) -> DeclarationError:
    """The error for what is neither an event nor a dependency."""
    return DeclarationError(
        f"{where}: '{parameter}' is {shown(annotation)}, neither an event nor anything that can be provided; "
        f"give what @provide makes a class or a NewType of its own"
    )
