"""Findings about joins: those that cannot fire, or fire only once."""

from collections.abc import Iterable, Iterator

from farandole.reactors.graph.flow import Flow, Only, Path, choices, foreign, run_of
from farandole.reactors.graph.graph import Graph
from farandole.reactors.graph.loops import loops, turning
from farandole.reactors.graph.nodes import Alternative, Input, ReactorNode

from .finding import Finding


def find_join_impossible(graph: Graph) -> Iterator[Finding]:
    """Joins whose events can never be there together."""
    runs = {start.key: run_of(graph, start.key) for start in graph.starts}
    elsewhere = foreign(graph)
    for join in _joins(graph):
        if any(_unknown(graph, trigger, elsewhere) for trigger in join.inputs):
            continue
        together = [start for start, run in runs.items() if all(_occurs(run, trigger) for trigger in join.inputs)]
        said = [_why_not(graph, join, start, runs[start]) for start in together]
        if not all(said):
            continue
        if not said and not any(_occurs(run, trigger) for run in runs.values() for trigger in join.inputs):
            continue
        text, cure = said[0] or ("", "") if said else _never_in_one_run(graph, join)
        yield Finding("error", "join-impossible", join.key, text, cure)


def find_join_once(graph: Graph) -> Iterator[Finding]:
    """Joins of what comes again and again with what comes once."""
    around = {event for loop in loops(graph) for event in turning(graph, loop)}
    for join in _joins(graph):
        found: dict[str, Finding] = {}
        for start in graph.starts:
            run = run_of(graph, start.key)
            for path in run.fired.get(join.key, ()):
                for once in (t for t in join.inputs if _count(graph, run, t, path) == 1):
                    for often in (t for t in join.inputs if _count(graph, run, t, path) > 1):
                        for finding in _trap(graph, join, once, often, around):
                            found.setdefault(finding.text, finding)
        yield from found.values()


def _joins(graph: Graph) -> Iterator[ReactorNode]:
    return (r for r in graph.reactors if len(r.inputs) > 1 and not r.gathers and not r.takes_failures)


def _unknown(graph: Graph, trigger: Input, elsewhere: frozenset[str]) -> bool:
    """Whether a parameter takes what another service may emit, or news, whose times are not known."""
    return any(e in elsewhere for e in trigger.events) or any(e.form != "event" for e in trigger.elements)


def _occurs(run: Flow, trigger: Input) -> bool:
    return any(run.occurs(event) for event in trigger.events)


def _count(graph: Graph, run: Flow, trigger: Input, path: Path) -> int:
    """How often a parameter has something to take: once is 1, more often is 2."""
    there = [event for event in trigger.events if path in run.events.get(event, {})]
    givers = {giver.key: giver for event in there for giver in graph.givers(event)}
    if len(there) > 1 and len(givers) == 1:
        (giver,) = givers.values()
        made = [sum(given.event in there for given in choice.givens()) for choice in choices(giver)]
        if max(made, default=2) == 1 and not any(giver.fan_outs()):
            # Answers to one question, say: of each step comes one of them.
            return run.fired.get(giver.key, {}).get(path, 0)
    return min(2, sum(run.events[event][path] for event in there))


def _why_not(graph: Graph, join: ReactorNode, start: str, run: Flow) -> tuple[str, str] | None:
    """Why a join does not fire in the runs of a start, and the cure; None if it can."""
    inputs = " and ".join(_shown(graph, trigger) for trigger in join.inputs)
    if join.key not in run.fired:
        return (
            f"joins {inputs}, but they are in different branches, neither of which encloses the other",
            "gather the branches by a list[...] first, or look at the other event by run.events(...)",
        )
    for reactor in graph.reactors:
        if _decides(graph, reactor, join, start, run):
            worlds = [Only(reactor.key, made) for made in (*choices(reactor), None)]
            if all(join.key not in run_of(graph, start, only=world).fired for world in worlds):
                return (
                    f"joins {inputs}, but {reactor.name} makes one or the other, never both",
                    "take them as A | B in one parameter, or return both as tuple[A, B]",
                )
    return None


def _decides(graph: Graph, reactor: ReactorNode, join: ReactorNode, start: str, run: Flow) -> bool:
    """Whether two of a join's inputs come of one step, of which something else may come."""
    # Of a reactor that has but one step in such a run, one outcome is all there ever is.
    if reactor is join or sum(run.fired.get(reactor.key, {}).values()) != 1 or not any(choices(reactor)):
        return False
    ahead = {reactor.key, *graph.reach[reactor.key]}
    fed = [any(r.key in ahead for e in trigger.events for r in graph.givers(e)) for trigger in join.inputs]
    if sum(fed) < 2:
        return False
    without = run_of(graph, start, only=Only(reactor.key, Alternative("none")))
    return sum(not _occurs(without, trigger) for trigger in join.inputs) >= 2


def _never_in_one_run(graph: Graph, join: ReactorNode) -> tuple[str, str]:
    inputs = " and ".join(_shown(graph, trigger) for trigger in join.inputs)
    return (
        f"joins {inputs}, which never occur in one run",
        "join events of one run; a run has one Start",
    )


def _trap(graph: Graph, join: ReactorNode, once: Input, often: Input, around: Iterable[str]) -> Iterator[Finding]:
    turns = [event for event in often.events if event in around]
    signals = [event for event in often.events if graph.events[event].kind == "signal"]
    if not turns and not signals:
        return
    starts = [event for event in once.events if graph.events[event].kind == "start"]
    name = _shown(graph, once)
    look = f"take run: Run[{name}] and use run.start" if starts else f"look at it by run.events({name})"
    yield Finding(
        "warning" if turns else "info",
        "join-once",
        join.key,
        f"joins {_shown(graph, often)}, which may come again, with {name}, which comes once: it fires once",
        f"if {name} is only looked at, {look}",
    )


def _shown(graph: Graph, trigger: Input) -> str:
    return " | ".join(graph.shown(event) for event in trigger.events)
