"""What can happen in one run, by the graph alone: which events, in which branches, once or more often.

A *path* is the fan-outs that an event stands in, outermost first; ``()`` is the root. An event that nobody at hand
emits, but that might come from elsewhere, is taken to be anywhere.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import product
from typing import Final
from weakref import WeakKeyDictionary

from .graph import Graph
from .nodes import Alternative, Given, Input, ReactorNode, Taken

Path = tuple[str, ...]
Counts = dict[Path, int]
"""How often something can happen at each path: once is 1, more often is 2."""
ROOT: Final[Path] = ()
_MANY: Final = 2
_MOST_CHOICES: Final = 64
_RUNS: "Final[WeakKeyDictionary[Graph, dict[tuple[str, Only | None], Flow]]]" = WeakKeyDictionary()


@dataclass(frozen=True)
class Only:
    """A world in which one reactor makes the same of each of its triggers.

    Attributes:
        reactor: its key.
        alternative: what it returns; None: it fails.
    """

    reactor: str
    alternative: Alternative | None


@dataclass
class Flow:
    """What can happen in a run.

    Attributes:
        events: where each event, by its key, can occur.
        fired: where each reactor, by its key, can be owed a step.
        children: where each reactor, by its key, can start which children.
    gathered: by fan-in, the fan-outs that lead to it.
        anywhere: events from elsewhere, which can occur at any path.
    """

    events: dict[str, Counts] = field(default_factory=dict)
    fired: dict[str, Counts] = field(default_factory=dict)
    children: dict[tuple[str, str], Counts] = field(default_factory=dict)
    gathered: dict[str, set[str]] = field(default_factory=dict)
    anywhere: frozenset[str] = frozenset()

    def occurs(self, event: str) -> bool:
        return event in self.events or event in self.anywhere


def site(reactor: ReactorNode, number: int) -> str:
    """A fan-out by its name: the reactor, and which of its alternatives is the list."""
    return f"{reactor.key}#{number}"


def flow(
    graph: Graph,
    choreography: str,
    seeds: Mapping[str, Counts],
    *,
    anywhere: Iterable[str] = (),
    only: Only | None = None,
) -> Flow:
    """All that can happen after what is there at first.

    Args:
        graph: of which one choreography's reactors are looked at.
        choreography: the run's.
        seeds: what is there at first, and where.
        anywhere: what may come from elsewhere, at any time and in any branch.
        only: a world in which a reactor has no choice.
    """
    state = _State(graph, choreography, seeds, frozenset(anywhere), only)
    while state.due:
        state.settle(heappop(state.due))
    return state.found


def run_of(graph: Graph, start: str, *, only: Only | None = None) -> Flow:
    """All that can happen in a run that a start opens, with signals at any time."""
    known = _RUNS.setdefault(graph, {})
    if (start, only) not in known:
        choreography = graph.events[start].choreography
        seeds: dict[str, Counts] = {start: {ROOT: 1}}
        for event in graph.events.values():
            if event.kind == "signal" and event.choreography == choreography:
                seeds[event.key] = {ROOT: _MANY}
        known[start, only] = flow(graph, choreography, seeds, anywhere=foreign(graph), only=only)
    return known[start, only]


def foreign(graph: Graph) -> frozenset[str]:
    """Events that are taken, and emitted by nobody at hand, though somebody must: another service may."""
    return frozenset(
        event.key
        for event in graph.events.values()
        if event.kind in ("event", "answer", "end") and graph.takers(event.key) and not graph.givers(event.key)
    )


def choices(reactor: ReactorNode) -> Iterator[Alternative]:
    """The things of which a step makes exactly one, each with nothing more to choose; none if they are too many."""
    made: list[Alternative] = []
    for alternative in reactor.alternatives:
        if alternative.shape == "list":
            made.append(alternative)
            continue
        for picked in product(*alternative.places):
            made.append(Alternative(alternative.shape, tuple((given,) for given in picked)))
            if len(made) > _MOST_CHOICES:
                return
    yield from made


class _State:
    """What is known so far. Each reactor is looked at anew whenever something that could start it has changed."""

    def __init__(
        self,
        graph: Graph,
        choreography: str,
        seeds: Mapping[str, Counts],
        anywhere: frozenset[str],
        only: Only | None,
    ) -> None:
        self.graph = graph
        self.reactors = [reactor for reactor in graph.reactors if reactor.choreography == choreography]
        self.found = Flow(events={event: dict(counts) for event, counts in seeds.items()}, anywhere=anywhere)
        self.only = only
        self.due = list(range(len(self.reactors)))
        self._seeds = seeds
        self._number = {reactor.key: n for n, reactor in enumerate(self.reactors)}
        self._fan_ins = [n for n, reactor in enumerate(self.reactors) if reactor.gathers]
        self._made: dict[str, dict[str, Counts]] = {}
        """By event: what each reactor makes of it."""

    def settle(self, number: int) -> None:
        """Look at a reactor, and have those looked at that follow it if more can come of it than was known."""
        reactor = self.reactors[number]
        fired = self._gathers(reactor) if reactor.gathers else self._fires(reactor)
        if fired == self.found.fired.get(reactor.key, {}):
            return
        self.found.fired[reactor.key] = fired
        self._emit(reactor, fired)
        ahead = {self._number[r.key] for r in self.graph.after(reactor)}
        if any(reactor.fan_outs()):
            ahead.update(self._fan_ins)
        for following in ahead.difference(self.due):
            heappush(self.due, following)

    def _fires(self, reactor: ReactorNode) -> Counts:
        there = [self._where(reactor, trigger) for trigger in reactor.inputs]
        wild = [any(e in self.found.anywhere for e in trigger.events) for trigger in reactor.inputs]
        if len(there) == 1:
            return there[0] or ({ROOT: _MANY} if wild[0] else {})
        paths = {path for counts in there for path in counts} or ({ROOT} if all(wild) else set())
        return {path: n for path in sorted(paths) if (n := _joined(path, there, wild))}

    def _gathers(self, reactor: ReactorNode) -> Counts:
        """Where a fan-in fires: wherever its fan-out does, whatever the branches give."""
        known = self.found.gathered.setdefault(reactor.key, set())
        if not reactor.each:
            for trigger in reactor.inputs:
                for path in self._where(reactor, _without_failures(trigger)):
                    known.update(path[-1:])
        total: Counts = {}
        for giver in self.reactors:
            for number, alternative in giver.fan_outs():
                types = {given.event for given in alternative.givens()}
                if reactor.each in types or (not reactor.each and site(giver, number) in known):
                    known.add(site(giver, number))
                    if self.only is None or self.only.reactor != giver.key or self.only.alternative == alternative:
                        _add(total, self.found.fired.get(giver.key, {}))
        if not total and reactor.each in self.found.anywhere:
            return {ROOT: _MANY}
        return total

    def _where(self, reactor: ReactorNode, trigger: Input) -> Counts:
        """Where a parameter has something to take."""
        total: Counts = {}
        for taken in trigger.elements:
            if taken.form == "event":
                for event in taken.events:
                    _add(total, self.found.events.get(event, {}))
            elif taken.form == "failed":
                for failing in self.graph.failing(taken, reactor):
                    if self.only is None or self.only.reactor != failing.key or self.only.alternative is None:
                        _add(total, self.found.fired.get(failing.key, {}))
            else:
                for (parent, start), counts in self.found.children.items():
                    if _is_news(self.graph, parent, start, taken):
                        _add(total, counts)
        return total

    def _emit(self, reactor: ReactorNode, fired: Counts) -> None:
        """Put down what comes of a reactor's steps, in place of what came of them before."""
        made: tuple[Alternative | None, ...] = reactor.alternatives
        if self.only is not None and self.only.reactor == reactor.key:
            made = (self.only.alternative,)
        events: dict[str, Counts] = {}
        for given, counts in _outcomes(reactor, made, fired):
            if given.form == "child":
                self.found.children[reactor.key, given.event] = counts
            else:
                _add(events.setdefault(given.event, {}), counts)
        for event, counts in events.items():
            by = self._made.setdefault(event, {})
            by[reactor.key] = counts
            total = dict(self._seeds.get(event, {}))
            for other in by.values():
                _add(total, other)
            self.found.events[event] = total


def _outcomes(
    reactor: ReactorNode, made: Iterable[Alternative | None], fired: Counts
) -> Iterator[tuple[Given, Counts]]:
    """What comes of a reactor's steps, and where: of several outcomes each step makes one."""
    most: dict[Given, int] = {}
    for alternative in made:
        if alternative is None:
            continue
        if alternative.shape == "list":
            name = site(reactor, reactor.alternatives.index(alternative))
            # A fan-out within itself is taken for one of the first kind: paths stay finite.
            inner = [path[: path.index(name) + 1] if name in path else (*path, name) for path in fired]
            for given in alternative.givens():
                yield given, dict.fromkeys(inner, 1)
            continue
        times: dict[Given, int] = {}
        for place in alternative.places:
            for given in place:
                times[given] = times.get(given, 0) + 1
        for given, n in times.items():
            most[given] = max(most.get(given, 0), n)
    for given, n in most.items():
        yield given, {path: min(_MANY, count * n) for path, count in fired.items()}


def _without_failures(trigger: Input) -> Input:
    """What a fan-in gathers; failures lead to it only where it gathers nothing else."""
    others = tuple(taken for taken in trigger.elements if taken.form != "failed")
    return Input(trigger.param, trigger.form, others or trigger.elements)


def _joined(path: Path, there: list[Counts], wild: list[bool]) -> int:
    """How often a join fires at a path: each input is there, or in an enclosing branch, or might be from elsewhere."""
    own = [counts[path] for counts in there if path in counts]
    for counts, anywhere in zip(there, wild, strict=True):
        if not anywhere and path not in counts and not any(path[:n] in counts for n in range(len(path))):
            return 0
    return min(own, default=_MANY if any(wild) else 0)


def _is_news(graph: Graph, parent: str, start: str, taken: Taken) -> bool:
    """Whether news of a child may be what an element is about.

    Args:
        parent: the reactor that starts the child.
        start: the event that it starts it with.
    """
    if taken.form == "child_failed":
        return not taken.events or start in taken.events
    opened = graph.started_by(start, parent)
    if opened not in graph.events or not graph.takers(opened):
        return True
    child = graph.events[opened].choreography
    names = {end.partition(".")[2] for end in taken.events}
    return not names or any(
        e.kind == "end" and e.choreography == child and e.name in names for e in graph.events.values()
    )


def _add(total: Counts, more: Mapping[Path, int]) -> None:
    for path, count in more.items():
        total[path] = min(_MANY, total.get(path, 0) + count)
