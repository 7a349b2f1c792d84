"""Findings about how runs end, and how long they last."""

from collections.abc import Iterator

from farandole.reactors.graph.flow import run_of
from farandole.reactors.graph.graph import Graph
from farandole.schemas.durations import in_short

from .events import unhandled
from .finding import Finding


def find_no_end(graph: Graph) -> Iterator[Finding]:
    """Starts from which no end can be reached."""
    ends = {event.key for event in graph.events.values() if event.kind == "end"}
    behind = {event.key for event in unhandled(graph)}
    for start in graph.starts:
        if not graph.takers(start.key):
            continue
        run = run_of(graph, start.key)
        # Whoever takes an event that nobody at hand takes may end the run; there is a finding for that event.
        if not any(run.occurs(key) for key in ends | behind):
            yield Finding(
                "warning",
                "no-end",
                start.key,
                "no run that it opens can come to an End, so each stays open",
                "return an End from the reactor that is the last",
            )


def find_nothing_undone(graph: Graph) -> Iterator[Finding]:
    """Compensations that no end asks for."""
    undoing = {event.key for event in graph.events.values() if event.compensate}
    asked: set[str] = set()
    for start in graph.starts:
        run = run_of(graph, start.key)
        if any(run.occurs(key) for key in undoing):
            asked |= run.fired.keys()
    for reactor in graph.reactors:
        if reactor.undo and reactor.key not in asked:
            yield Finding(
                "warning",
                "nothing-undone",
                reactor.key,
                f"{reactor.undo} undoes it, but no End of its runs is declared with compensate=True: it is undone only "
                "if the run is cancelled",
                "declare the End that means failure as class ...(End, compensate=True)",
            )


def find_nothing_to_undo(graph: Graph) -> Iterator[Finding]:
    """Ends that are to undo what no step can undo."""
    for event in graph.events.values():
        if (
            graph.givers(event.key)
            and event.compensate
            and not any(r.undo for r in graph.reactors if r.choreography == event.choreography)
        ):
            yield Finding(
                "info",
                "nothing-to-undo",
                event.key,
                "it undoes what the run's steps did, but none of them at hand has a compensation",
                "give steps that must be undone compensate=",
            )


def find_short_deadline(graph: Graph) -> Iterator[Finding]:
    """Starts whose runs fail before a wait in them is over."""
    for start in graph.starts:
        if start.deadline is None:
            continue
        fired = run_of(graph, start.key).fired
        for reactor in graph.reactors:
            waits = (*reactor.waits, *((reactor.within,) if reactor.within is not None else ()))
            if reactor.key in fired and waits and (longest := max(waits)) >= start.deadline:
                yield Finding(
                    "info",
                    "short-deadline",
                    start.key,
                    f"its runs fail after {in_short(start.deadline)}, and {reactor.name} may wait {in_short(longest)}",
                    "let the deadline be longer than the waits, or leave it out",
                )


def find_asks_for_ever(graph: Graph) -> Iterator[Finding]:
    """Questions that stay open until somebody answers."""
    for reactor in graph.reactors:
        if reactor.asks_for_ever:
            yield Finding(
                "info",
                "asks-for-ever",
                reactor.key,
                "asks without within=: if nobody answers, the run waits for ever",
                'say how long, and what then, as Ask(..., within="2d", otherwise=Refused())',
            )
