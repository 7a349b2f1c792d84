"""A graph as boxes and arrows: what all drawings have in common."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from farandole.reactors.graph.fan_ins import each_of
from farandole.reactors.graph.graph import Graph
from farandole.reactors.graph.nodes import Given, GivenForm, ReactorNode, Taken
from farandole.schemas.durations import in_short

BoxKind = Literal["start", "signal", "answer", "event", "end", "reactor", "schedule", "failure"]
Line = Literal["sure", "maybe", "failure"]

_LABELS: dict[GivenForm, str] = {"one": "", "after": "later", "ask": "asks", "otherwise": "or else", "child": "child"}
_MOST_DIRECT = 2
"""From more reactors than this, failures are drawn by way of a box of their own."""


@dataclass(frozen=True, slots=True)
class Box:
    """A node as it is drawn.

    Attributes:
        id: unique in the picture.
        title: its name.
        notes: what else is said, in small print.
        outside: it comes from outside.
    """

    id: str
    kind: BoxKind
    title: str
    notes: tuple[str, ...] = ()
    outside: bool = False


@dataclass(frozen=True, slots=True)
class Arrow:
    """An edge as it is drawn.

    Attributes:
        source: the id of a box.
        target: likewise.
        line: ``sure``, ``maybe`` (one of several outcomes) or ``failure``.
        label: a word or two.
        many: one for each branch.
    """

    source: str
    target: str
    line: Line = "sure"
    label: str = ""
    many: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    title: str
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]


def picture_of(graph: Graph) -> Picture:
    """What is drawn of a graph, in its order."""
    boxes: list[Box] = []
    arrows: list[Arrow] = []
    for schedule in graph.schedules:
        boxes.append(Box(f"@{schedule.choreography}.{schedule.name}", "schedule", schedule.name, (schedule.when,)))
        arrows.append(Arrow(boxes[-1].id, schedule.start))
    scheduled = {schedule.start for schedule in graph.schedules}
    used = {key for reactor in graph.reactors for key in _events(graph, reactor)} | scheduled
    born = {graph.started_by(g.event, r.key) for r in graph.reactors for g in r.givens() if g.form == "child"}
    for event in graph.events.values():
        if event.key in used:
            opened = event.kind == "start" and event.key not in scheduled | born
            outside = event.kind == "signal" or opened
            boxes.append(Box(event.key, event.kind, graph.shown(event.key), outside=outside))
    for reactor in graph.reactors:
        boxes.append(Box(f"{reactor.key}()", "reactor", graph.shown(reactor.key), tuple(_notes(graph, reactor))))
        arrows += _inputs(graph, reactor, boxes)
    for reactor in graph.reactors:
        arrows += _outputs(graph, reactor)
    known = {box.id for box in boxes}
    return Picture(_title(graph), tuple(boxes), tuple(a for a in _merged(arrows) if {a.source, a.target} <= known))


def _title(graph: Graph) -> str:
    services = [service for service in graph.services if service not in graph.choreographies]
    return ", ".join(graph.choreographies) + (f" ({', '.join(services)})" if services else "")


def _events(graph: Graph, reactor: ReactorNode) -> Iterator[str]:
    for trigger in reactor.inputs:
        for taken in trigger.elements:
            if taken.form != "failed":
                yield from (_source(graph, reactor, taken, event) for event in taken.events)
    for given in reactor.givens():
        yield _target(graph, reactor, given)


def _source(graph: Graph, reactor: ReactorNode, taken: Taken, event: str) -> str:
    """The box from which a reactor takes an event: what it hears of children may stand in another choreography."""
    match taken.form:
        case "child_done":
            return graph.ended_as(event, reactor.key)
        case "child_failed":
            return graph.started_by(event, reactor.key)
        case _:
            return event


def _target(graph: Graph, reactor: ReactorNode, given: Given) -> str:
    return graph.started_by(given.event, reactor.key) if given.form == "child" else given.event


def _notes(graph: Graph, reactor: ReactorNode) -> Iterator[str]:
    if len(graph.services) > 1:
        yield f"service {reactor.service}"
    if reactor.gathers:
        each = each_of(graph, reactor)
        said = f"gathers each {graph.shown(each[0])}" if each else "gathers"
        if reactor.enough is not None:
            said += f", {reactor.enough} are enough"
        if reactor.within is not None:
            said += f", within {in_short(reactor.within)}"
        yield said
    elif len(reactor.inputs) > 1:
        yield "once all are there"
    if reactor.unless:
        yield f"unless {', '.join(graph.shown(event) for event in reactor.unless)}"
    if reactor.ordered:
        yield "in order"
    if reactor.undo:
        yield f"undone by {reactor.undo}"
    if all(alternative.shape == "none" for alternative in reactor.alternatives):
        yield "emits nothing"


def _inputs(graph: Graph, reactor: ReactorNode, boxes: list[Box]) -> Iterator[Arrow]:
    me = f"{reactor.key}()"
    for trigger in reactor.inputs:
        for taken in trigger.elements:
            match taken.form:
                case "failed":
                    yield from _failures(graph, reactor, taken, boxes)
                case "event":
                    yield from (Arrow(event, me, many=trigger.form == "list") for event in taken.events)
                case "child_done":
                    yield from (Arrow(_source(graph, reactor, taken, e), me, label="child's end") for e in taken.events)
                case "child_failed":
                    sources = (_source(graph, reactor, taken, event) for event in taken.events)
                    yield from (Arrow(source, me, "failure", "child fails") for source in sources)


def _failures(graph: Graph, reactor: ReactorNode, taken: Taken, boxes: list[Box]) -> Iterator[Arrow]:
    failing = list(graph.failing(taken, reactor))
    me = f"{reactor.key}()"
    if 0 < len(failing) <= _MOST_DIRECT:
        yield from (Arrow(f"{r.key}()", me, "failure", "fails") for r in failing)
        return
    about = ", ".join(graph.shown(event) for event in taken.events)
    id = f"!{reactor.choreography}.{about}.{','.join(reactor.of)}"
    if all(box.id != id for box in boxes):
        title = ", ".join(reactor.of) + " fails" if reactor.of else "any step fails"
        boxes.append(Box(id, "failure", title, (f"that took {about}",) if about else ()))
    yield Arrow(id, me, "failure")


def _outputs(graph: Graph, reactor: ReactorNode) -> Iterator[Arrow]:
    me = f"{reactor.key}()"
    for alternative in reactor.alternatives:
        for place in alternative.places:
            for given in place:
                sure = len(reactor.alternatives) == 1 and len(place) == 1
                many = alternative.shape == "list"
                label = " ".join(word for word in ("each" if many else "", _LABELS[given.form]) if word)
                yield Arrow(me, _target(graph, reactor, given), "sure" if sure else "maybe", label, many)


def _merged(arrows: Iterable[Arrow]) -> Iterator[Arrow]:
    """Arrows between the same boxes as one, with the labels of all."""
    found: dict[tuple[str, str, bool], list[Arrow]] = {}
    for arrow in arrows:
        found.setdefault((arrow.source, arrow.target, arrow.line == "failure"), []).append(arrow)
    for (source, target, _), same in found.items():
        labels = ", ".join(dict.fromkeys(arrow.label for arrow in same if arrow.label))
        line = min((arrow.line for arrow in same), key=("sure", "maybe", "failure").index)
        yield Arrow(source, target, line, labels, any(arrow.many for arrow in same))
