"""Reading the parameters of a reactor (rules 3 and 4)."""

import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from inspect import Parameter
from typing import Any

from pydantic import BaseModel

from farandole.projections.annotations import expand, members, shown
from farandole.projections.state import State
from farandole.reactors.inputs import ChildDone, ChildFailed, Failed
from farandole.reactors.run import Run
from farandole.reactors.step import Step
from farandole.schemas import DeclarationError, Event

from .kinds import concrete, is_event, is_providable, kind_of, neither
from .parts import Context, Element, ElementForm, Trigger

_WRAPPERS: dict[Any, ElementForm] = {Failed: "failed", ChildDone: "child_done", ChildFailed: "child_failed"}
_OF_KIND: dict[ElementForm, str] = {"child_done": "end", "child_failed": "start"}

Parameters = tuple[tuple[Trigger, ...], Mapping[str, Context], Mapping[str, Any]]


def read_parameters(parameters: Mapping[str, Parameter], where: str) -> Parameters:
    """The triggers, the context and the dependencies among the parameters, in that order."""
    triggers: list[Trigger] = []
    context: dict[str, Context] = {}
    provided: dict[str, Any] = {}
    for name, parameter in parameters.items():
        match _read(name, parameter.annotation, where):
            case Trigger() as trigger:
                triggers.append(trigger)
            case Context() as filled:
                context[name] = filled
            case wanted:
                provided[name] = wanted
    if not triggers:
        plain = [t for t in provided.values() if isinstance(t, type) and issubclass(t, BaseModel)]
        hint = f" ({plain[0].__name__} is a model, but no Event)" if plain else ""
        raise DeclarationError(f"{where}: takes no event, so nothing would ever start it{hint}")
    _each_once(triggers, where)
    return tuple(triggers), context, provided


def _read(name: str, annotation: Any, where: str) -> Trigger | Context | Any:
    found = members(annotation, where)
    filled = [context for member in found if (context := _context(member, where)) is not None]
    if filled:
        if len(found) > 1:
            raise DeclarationError(f"{where}: '{name}' is {shown(annotation)}; Step, Run and State stand alone")
        return filled[0]
    if len(found) == 1 and typing.get_origin(found[0]) is list and (elements := _elements(name, found[0], where)):
        return Trigger(name, "list", elements)
    if any(is_event(member) or _wrapper(member) for member in found):
        elements = _together(name, found, annotation, where)
        return Trigger(name, elements[0].form if len(elements) == 1 else "either", elements)
    if not any(is_providable(m) for m in found) or not all(is_providable(m) or m is types.NoneType for m in found):
        raise neither(name, annotation, where)
    return expand(annotation, where)


def _context(annotation: Any, where: str) -> Context | None:
    origin = typing.get_origin(annotation) or annotation
    if origin is Step:
        return Context("step")
    if origin is Run:
        starts = tuple(s for arg in typing.get_args(annotation) for s in members(arg, where) if s is not Event)
        for start in starts:
            if not is_event(start) or kind_of(concrete(start, where)) != "start":
                raise DeclarationError(
                    f"{where}: {shown(annotation)} names no Start; write the event that opens the run"
                )
        return Context("run", starts)
    if isinstance(origin, type) and issubclass(origin, State):
        if origin is State:
            raise DeclarationError(f"{where}: State is only a base; write a class of it that says what is folded")
        return Context("state", (origin,))
    return None


def _wrapper(annotation: Any) -> ElementForm | None:
    origin = typing.get_origin(annotation) or annotation
    return _WRAPPERS.get(origin) if isinstance(origin, type) else None


def _elements(name: str, annotation: Any, where: str) -> tuple[Element, ...]:
    """What a ``list[...]`` gathers; nothing if it is not about events."""
    found = tuple(m for arg in typing.get_args(annotation) for m in members(arg, where))
    if not any(is_event(member) or _wrapper(member) for member in found):
        return ()
    return _together(name, found, annotation, where)


def _together(name: str, found: Sequence[Any], annotation: Any, where: str) -> tuple[Element, ...]:
    """The members of a union that is about events, one element for each form."""
    if types.NoneType in found:
        raise DeclarationError(f"{where}: an event cannot be None")
    events: dict[ElementForm, list[type[Event]]] = {}
    anything: set[ElementForm] = set()
    for member in found:
        if is_event(member):
            events.setdefault("event", []).append(concrete(member, where))
        elif form := _wrapper(member):
            named = _about(member, form, where)
            events.setdefault(form, []).extend(named)
            if not named:
                anything.add(form)
        elif typing.get_origin(member) is list:
            raise DeclarationError(f"{where}: '{name}' is {shown(annotation)}; a fan-in is a reactor of its own")
        else:
            raise DeclarationError(f"{where}: '{name}' is {shown(annotation)}, but {shown(member)} is no event")
    return tuple(
        Element(form, () if form in anything else tuple(dict.fromkeys(named))) for form, named in events.items()
    )


def _about(annotation: Any, form: ElementForm, where: str) -> Iterable[type[Event]]:
    """The events in the brackets of ``Failed[...]`` and its like; none if it is bare, and so about any."""
    found = tuple(m for arg in typing.get_args(annotation) for m in members(arg, where))
    if found == (Event,):
        return ()
    wanted = _OF_KIND.get(form)
    for event in found:
        if not is_event(event):
            raise DeclarationError(
                f"{where}: {shown(annotation)} names no event; write the one that the step took, "
                "and of= for the reactor, as @reactor(of=take_payment)"
            )
        kind = kind_of(concrete(event, where))
        if wanted is not None and kind != wanted:
            raise DeclarationError(
                f"{where}: {shown(annotation)} is about a child's {wanted.title()}, not {event.__name__}"
            )
    return found


def _each_once(triggers: Sequence[Trigger], where: str) -> None:
    taken: dict[object, str] = {}
    for trigger in triggers:
        for element in trigger.elements:
            for event in element.events:
                first = taken.setdefault((element.form, event), trigger.param)
                if first != trigger.param:
                    raise DeclarationError(
                        f"{where}: '{first}' and '{trigger.param}' both take {event.__name__}; "
                        "a join needs different events"
                    )
