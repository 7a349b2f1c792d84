"""Reading a return annotation (rule 5)."""

import inspect
import types
import typing
from collections.abc import Awaitable, Coroutine
from typing import Any

from farandole.projections.annotations import expand, members, shown
from farandole.reactors.outputs import After, Ask, Child
from farandole.schemas import DeclarationError, Event

from .gives import Member, Outputs, Shape
from .kinds import concrete, is_event, kind_of

_CURES = {
    "start": "wrap it: Child({0}(...))",
    "signal": "signals come from outside, by run.send",
    "answer": "people give it: Ask[{0}]",
}
_WRAPPERS: dict[Any, Shape] = {After: "after", Ask: "ask", Child: "child"}
_ALLOWED = {
    "after": ("event", "end"),
    "ask": ("answer", "event", "end"),
    "child": ("start",),
}


def awaited(annotation: Any, where: str) -> tuple[Any, bool]:
    """The annotation without ``Awaitable[...]`` or ``Coroutine[...]`` around it, and whether there was one."""
    annotation = expand(annotation, where)
    if typing.get_origin(annotation) in (Awaitable, Coroutine):
        return typing.get_args(annotation)[-1], True
    return annotation, False


def read_returns(annotation: Any, where: str) -> Outputs:
    """What a reactor may return, by its return annotation."""
    if annotation is inspect.Parameter.empty:
        raise DeclarationError(f"{where}: says not what it returns; write -> None if nothing")
    return Outputs(tuple(_member(m, where) for m in members(annotation, where)), shown(annotation), where)


def _member(annotation: Any, where: str) -> Member:
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if annotation in (types.NoneType, typing.Never, typing.NoReturn):
        return Member("none")
    if origin is list and len(args) == 1:
        return Member("list", places=(_place(args[0], annotation, where),))
    if origin is tuple and args and ... in args:
        raise DeclarationError(f"{where}: returns {shown(annotation)}; a tuple names each event, a fan-out is a list")
    if origin is tuple and args:
        return Member("tuple", places=tuple(_place(arg, annotation, where) for arg in args))
    return _single(annotation, where)


def _place(annotation: Any, whole: Any, where: str) -> tuple[Member, ...]:
    found = members(annotation, where)
    if types.NoneType in found:
        raise DeclarationError(f"{where}: returns {shown(whole)}; None stands alone, as {shown(whole)} | None")
    return tuple(_single(member, where) for member in found)


def _single(annotation: Any, where: str) -> Member:
    if is_event(annotation):
        concrete(annotation, where)
        _of_kind(annotation, ("event", "end"), where)
        return Member("one", (annotation,))
    wrapper = typing.get_origin(annotation) or annotation
    shape = _WRAPPERS.get(wrapper) if isinstance(wrapper, type) else None
    if shape is None:
        raise DeclarationError(
            f"{where}: returns {shown(annotation)}, which is no outcome; "
            "return events, None, or a tuple, list, After, Ask or Child of events"
        )
    return Member(shape, _wrapped(annotation, shape, where))


def _wrapped(annotation: Any, shape: Shape, where: str) -> tuple[type[Event], ...]:
    args = typing.get_args(annotation)
    if not args:
        raise DeclarationError(f"{where}: says not what its {shown(annotation)} emits; write {shown(annotation)}[A]")
    events = []
    for event in members(args[0], where):
        if not is_event(event):
            raise DeclarationError(f"{where}: returns {shown(annotation)}, but {shown(event)} is no event")
        concrete(event, where)
        if shape == "child" and kind_of(event) != "start":
            raise DeclarationError(
                f"{where}: returns {shown(annotation)}, but {event.__name__} is no Start; a child run begins with one"
            )
        _of_kind(event, _ALLOWED[shape], where)
        events.append(event)
    if shape == "ask" and all(kind_of(event) != "answer" for event in events):
        raise DeclarationError(f"{where}: returns {shown(annotation)}, in which there is no Answer for people to give")
    return tuple(events)


def _of_kind(event: type[Event], allowed: tuple[str, ...], where: str) -> None:
    kind = kind_of(event)
    if kind not in allowed:
        cure = _CURES[kind].format(event.__name__)
        raise DeclarationError(f"{where}: returns {event.__name__}, which is of kind {kind.title()}; {cure}")
