"""Findings about loops."""

from collections.abc import Iterator

from farandole.reactors.graph.graph import Graph
from farandole.reactors.graph.loops import Loop, loops, turning
from farandole.reactors.graph.nodes import ReactorNode

from .finding import Finding


def find_spinning(graph: Graph) -> Iterator[Finding]:
    """Loops that nothing ends, and in which nothing waits."""
    for loop in loops(graph):
        if _has_a_way_out(graph, loop) or _waits(graph, loop):
            continue
        yield Finding(
            "warning",
            "spinning",
            loop[0].key,
            f"{_around(loop)} goes round for ever, as fast as it can: no End, timer or question is in it, and none of "
            "its reactors may return nothing",
            "let a reactor of the loop return an End or None, or wait by After[...]",
        )


def find_timers_without_unless(graph: Graph) -> Iterator[Finding]:
    """Timers in loops that nothing stops."""
    for loop in loops(graph):
        turns = turning(graph, loop)
        for reactor in loop:
            timers = [g.event for g in reactor.givens() if g.form == "after" and g.event in turns]
            if timers and not reactor.unless:
                yield Finding(
                    "info",
                    "timer-without-unless",
                    reactor.key,
                    f"sets the timer {graph.shown(timers[0])} again and again, and no event stops it",
                    "name in unless= the event after which nobody need be reminded",
                )


def _has_a_way_out(graph: Graph, loop: Loop) -> bool:
    """Whether a reactor of the loop may make nothing that goes round. A list may be one of nothing."""
    turns = turning(graph, loop)
    return any(
        alternative.shape == "list"
        or all(any(g.event not in turns or g.form == "child" for g in place) for place in alternative.places)
        for reactor in loop
        for alternative in reactor.alternatives
    )


def _waits(graph: Graph, loop: Loop) -> bool:
    return any(g.form != "one" for r in loop for g in r.givens()) or any(_joins_from_outside(graph, r) for r in loop)


def _joins_from_outside(graph: Graph, reactor: ReactorNode) -> bool:
    """Whether it waits for a signal, as one of several things."""
    return len(reactor.inputs) > 1 and any(graph.events[e].kind == "signal" for e in reactor.takes)


def _around(loop: Loop) -> str:
    return " → ".join(r.name for r in (*loop, loop[0]))
