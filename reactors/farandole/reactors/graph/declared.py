"""The graph of choreographies as their code declares them."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from farandole.projections.annotations import shown
from farandole.reactors.annotations import Member
from farandole.reactors.reactor import Reactor
from farandole.schemas import Event, event_info

from .graph import Graph
from .nodes import Alternative, EventNode, Given, Input, ReactorNode, ScheduleNode, Taken
from .source import asks_for_ever, waits_in

if TYPE_CHECKING:
    from farandole.reactors.choreography import Choreography


def graph_of(*choreographies: "Choreography") -> Graph:
    """The graph of one choreography or several, or of several services of one."""
    return Graph(
        (_event(c.name, event) for c in choreographies for event in c.events.values()),
        (_reactor(c, reactor) for c in choreographies for reactor in c.reactors),
        (
            ScheduleNode(c.name, s.name, f"{c.name}.{event_info(type(s.start)).name}", s.when)
            for c in choreographies
            for s in c.schedules
        ),
    )


def _event(choreography: str, event: type[Event]) -> EventNode:
    info = event_info(event)
    return EventNode(choreography, info.name, info.kind, info.wants_reactor, info.compensate, info.deadline)


def _reactor(choreography: "Choreography", reactor: Reactor) -> ReactorNode:
    signature, options = reactor.signature, reactor.options

    def key(event: type[Event]) -> str:
        return f"{choreography.name}.{event_info(event).name}"

    provided = {provider.provides for provider in choreography.providers}
    undo = options.compensate
    return ReactorNode(
        choreography=choreography.name,
        name=reactor.name,
        service=choreography.service,
        inputs=tuple(
            Input(t.param, t.form, tuple(Taken(e.form, tuple(map(key, e.events))) for e in t.elements))
            for t in signature.triggers
        ),
        alternatives=tuple(_alternative(member, choreography.name) for member in signature.gives.members),
        of=(options.of,) if options.of else (),
        each=key(options.each) if options.each else "",
        enough=options.enough,
        within=options.within,
        unless=tuple(map(key, options.unless)),
        ordered=options.ordered,
        undo="" if undo is None else getattr(undo, "__name__", type(undo).__name__),
        folds=tuple(
            dict.fromkeys(
                key(event)
                for context in signature.context.values()
                if context.kind == "state"
                for state in context.of
                for event in state.folds()
            )
        ),
        waits=tuple(waits_in(reactor.fn)),
        asks_for_ever="ask" in signature.gives.shapes() and asks_for_ever(reactor.fn),
        missing=tuple(
            f"{shown(wanted)} (for '{param}')" for param, wanted in signature.provided.items() if wanted not in provided
        ),
    )


def _alternative(member: Member, choreography: str) -> Alternative:
    match member.shape:
        case "none":
            return Alternative("none")
        case "tuple" | "list" as shape:
            return Alternative(
                shape, tuple(tuple(g for m in place for g in _givens(m, choreography)) for place in member.places)
            )
        case _:
            return Alternative("one", (tuple(_givens(member, choreography)),))


def _givens(member: Member, choreography: str) -> Iterator[Given]:
    for event in member.events:
        info = event_info(event)
        key = f"{choreography}.{info.name}"
        match member.shape:
            case "ask":
                yield Given(key, "ask" if info.kind == "answer" else "otherwise")
            case "after" | "child" as form:
                yield Given(key, form)
            case _:
                yield Given(key)
