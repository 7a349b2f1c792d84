"""`Graph`: one or several choreographies, or services of one, as one graph of who takes what and who gives it."""

from collections.abc import Iterable, Mapping
from functools import cached_property
from types import MappingProxyType

from .nodes import EventNode, GivenForm, ReactorNode, ScheduleNode, Taken


class Graph:
    """Events, reactors and schedules. Nothing in it changes, and it holds no code.

    Args:
        events: one of each key is kept.
        reactors: in the order in which they are told and drawn.
        schedules: likewise.
    """

    def __init__(
        self, events: Iterable[EventNode], reactors: Iterable[ReactorNode], schedules: Iterable[ScheduleNode] = ()
    ) -> None:
        self.events: Mapping[str, EventNode] = MappingProxyType({event.key: event for event in events})
        self.reactors = tuple(reactors)
        self.schedules = tuple(schedules)
        self._failing: dict[tuple[Taken, str], tuple[ReactorNode, ...]] = {}

    @cached_property
    def choreographies(self) -> tuple[str, ...]:
        """The names of its choreographies, in order."""
        found = dict.fromkeys(reactor.choreography for reactor in self.reactors)
        found.update(dict.fromkeys(event.choreography for event in self.events.values()))
        return tuple(found)

    @cached_property
    def services(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(reactor.service for reactor in self.reactors))

    @cached_property
    def starts(self) -> tuple[EventNode, ...]:
        return tuple(event for event in self.events.values() if event.kind == "start")

    def shown(self, key: str) -> str:
        """An event's or reactor's name, with that of its choreography where there are several."""
        return key if len(self.choreographies) > 1 else key.partition(".")[2]

    def takers(self, event: str) -> tuple[ReactorNode, ...]:
        """The reactors that take an event as it is, alone, in a join or in a list."""
        return self._takers.get(event, ())

    def givers(self, event: str, *forms: GivenForm) -> tuple[ReactorNode, ...]:
        """The reactors that may emit an event.

        Args:
            forms: in which forms; none: in any.
        """
        found = self._givers.get(event, ())
        return tuple(dict.fromkeys(r for r, form in found if not forms or form in forms))

    def started_by(self, event: str, giver: str) -> str:
        """The start that a ``Child[...]`` means.

        A class does not say in which choreography the child runs: its own, if a reactor there takes such a start;
        else another one of the graph that has a start of that name.

        Args:
            event: the start that is given.
            giver: the reactor that gives it.
        """
        if self.takers(event):
            return event
        name = event.partition(".")[2]
        for start in self.starts:
            if start.name == name and start.choreography != giver.partition(".")[0] and self.takers(start.key):
                return start.key
        return event

    def ended_as(self, event: str, taker: str) -> str:
        """The end that a ``ChildDone[...]`` means: of its own choreography, if a reactor there gives it; else of another.

        Args:
            event: the end that is taken.
            taker: the reactor that takes it.
        """
        if self.givers(event):
            return event
        name, home = event.partition(".")[2], taker.partition(".")[0]
        for end in self.events.values():
            if (end.kind, end.name) == ("end", name) and end.choreography != home and self.givers(end.key):
                return end.key
        return event

    def failing(self, taken: Taken, by: ReactorNode) -> tuple[ReactorNode, ...]:
        """The reactors whose final failures a reactor takes by one of its elements."""
        key = (taken, by.key)
        if key not in self._failing:
            self._failing[key] = tuple(
                reactor
                for reactor in self.reactors
                if reactor.choreography == by.choreography
                and not reactor.takes_failures
                and (not by.of or reactor.name in by.of)
                and (not taken.events or not set(taken.events).isdisjoint(reactor.takes))
            )
        return self._failing[key]

    def after(self, reactor: ReactorNode) -> tuple[ReactorNode, ...]:
        """The reactors that a step of another can make owed, in the same run: by events, failure or news of a child."""
        return self._after[reactor.key]

    @cached_property
    def reach(self) -> Mapping[str, frozenset[str]]:
        """The reactors, by their keys, that each leads to in one step or more."""
        found: dict[str, frozenset[str]] = {}
        for reactor in self.reactors:
            seen: set[str] = set()
            ahead = [r.key for r in self.after(reactor)]
            while ahead:
                if (here := ahead.pop()) not in seen:
                    seen.add(here)
                    ahead += [r.key for r in self._after[here]]
            found[reactor.key] = frozenset(seen)
        return found

    @cached_property
    def _after(self) -> Mapping[str, tuple[ReactorNode, ...]]:
        elements = [(r, taken) for r in self.reactors for trigger in r.inputs for taken in trigger.elements]
        catching: dict[str, list[ReactorNode]] = {}
        for r, taken in elements:
            if taken.form == "failed":
                for failing in self.failing(taken, r):
                    catching.setdefault(failing.key, []).append(r)
        told = [r for r, taken in elements if taken.form in ("child_done", "child_failed")]
        found: dict[str, tuple[ReactorNode, ...]] = {}
        for reactor in self.reactors:
            next_: list[ReactorNode] = []
            for given in reactor.givens():
                news = (r for r in told if r.choreography == reactor.choreography)
                next_ += news if given.form == "child" else self.takers(given.event)
            found[reactor.key] = tuple(dict.fromkeys([*next_, *catching.get(reactor.key, ())]))
        return found

    @cached_property
    def _takers(self) -> Mapping[str, tuple[ReactorNode, ...]]:
        found: dict[str, list[ReactorNode]] = {}
        for reactor in self.reactors:
            for event in reactor.takes:
                found.setdefault(event, []).append(reactor)
        return {event: tuple(reactors) for event, reactors in found.items()}

    @cached_property
    def _givers(self) -> Mapping[str, tuple[tuple[ReactorNode, GivenForm], ...]]:
        found: dict[str, dict[tuple[ReactorNode, GivenForm], None]] = {}
        for reactor in self.reactors:
            for given in reactor.givens():
                found.setdefault(given.event, {})[reactor, given.form] = None
        return {event: tuple(givers) for event, givers in found.items()}
