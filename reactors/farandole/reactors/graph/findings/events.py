"""Findings about events: those that nobody takes, and those that nobody emits."""

from collections.abc import Iterable, Iterator

from farandole.reactors.graph.flow import foreign
from farandole.reactors.graph.graph import Graph
from farandole.reactors.graph.nodes import EventNode

from .finding import Finding


def find_unhandled(graph: Graph) -> Iterator[Finding]:
    """Events that are emitted, and that no reactor takes."""
    for event in unhandled(graph):
        by = _names(r.name for r in graph.givers(event.key))
        if event.kind == "answer":
            text = f"it is an answer to what {by} asks, and no reactor takes it"
        else:
            text = f"{by} emits it, and no reactor takes it"
        yield Finding(
            "warning",
            "unhandled",
            event.key,
            text,
            f"write a reactor that takes it, or declare that none need: class {event.name}(..., wants_reactor=False)",
        )


def unhandled(graph: Graph) -> tuple[EventNode, ...]:
    """The events that are emitted and of no use to anybody at hand."""
    looked_at = {event for reactor in graph.reactors for event in (*reactor.unless, *reactor.folds)}
    return tuple(
        event
        for event in graph.events.values()
        if event.kind in ("event", "answer")
        and event.wants_reactor
        and event.key not in looked_at
        and graph.givers(event.key)
        and not graph.takers(event.key)
    )


def find_never_emitted(graph: Graph) -> Iterator[Finding]:
    """Events that a reactor takes, and that nobody emits."""
    for key in sorted(foreign(graph)):
        event = graph.events[key]
        by = _names(r.name for r in graph.takers(key))
        how = "asks for" if event.kind == "answer" else "emits"
        cure = f"Ask[{event.name}]" if event.kind == "answer" else event.name
        yield Finding(
            "warning",
            "never-emitted",
            key,
            f"{by} takes it, and no reactor at hand {how} it",
            f"return {cure} from a reactor; if another service does, check both together",
        )


def find_no_such_failure(graph: Graph) -> Iterator[Finding]:
    """Reactors of failures that no step at hand can have."""
    for reactor in graph.reactors:
        names = {r.name for r in graph.reactors if r.choreography == reactor.choreography}
        for taken in (e for trigger in reactor.inputs for e in trigger.elements if e.form == "failed"):
            if any(graph.failing(taken, reactor)):
                continue
            about = _names(graph.shown(event) for event in taken.events)
            elsewhere = [name for name in reactor.of if name not in names]
            if elsewhere:
                yield Finding(
                    "warning",
                    "no-such-failure",
                    reactor.key,
                    f"takes failures of {_names(elsewhere)}, which is not at hand",
                    "check the services together, or correct of=",
                )
            elif reactor.of:
                yield Finding(
                    "error",
                    "no-such-failure",
                    reactor.key,
                    f"takes failures of {_names(reactor.of)} with {about or 'anything'}, which never has any to take",
                    "name in Failed[...] what that reactor takes; failures of one that takes Failed are never caught",
                )
            else:
                yield Finding(
                    "warning",
                    "no-such-failure",
                    reactor.key,
                    f"takes failures of steps that took {about}, and no reactor at hand that could fail so takes it"
                    if about
                    else "takes all failures, and there is no reactor at hand that could fail",
                    "name in Failed[...] what the failing step takes; if it is in another service, check both together",
                )


def find_no_such_child(graph: Graph) -> Iterator[Finding]:
    """Reactors of news of child runs that no reactor at hand starts."""
    started = {(r.choreography, given.event) for r in graph.reactors for given in r.givens() if given.form == "child"}
    parents = {choreography for choreography, _ in started}
    for reactor in graph.reactors:
        for taken in (e for trigger in reactor.inputs for e in trigger.elements):
            if taken.form == "child_done" and reactor.choreography in parents:
                continue
            if taken.form == "child_failed" and any((reactor.choreography, e) in started for e in taken.events):
                continue
            if taken.form in ("child_done", "child_failed"):
                about = _names(graph.shown(event) for event in taken.events)
                yield Finding(
                    "warning",
                    "no-such-child",
                    reactor.key,
                    f"takes news of a child run ({about or 'any'}), and no reactor at hand starts one",
                    "return Child[...] from a reactor; if another service does, check both together",
                )


def find_unless_never(graph: Graph) -> Iterator[Finding]:
    """Timers that are to be dropped by an event that nobody emits."""
    for reactor in graph.reactors:
        for key in reactor.unless:
            event = graph.events.get(key)
            if event is not None and event.kind not in ("signal", "start") and not graph.givers(key):
                yield Finding(
                    "warning",
                    "unless-never",
                    reactor.key,
                    f"its timers are dropped by {graph.shown(key)}, which no reactor at hand emits",
                    "emit it, or correct unless=",
                )


def _names(names: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(names))
