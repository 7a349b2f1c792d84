"""A choreography as plain data: so it can be drawn, shown, compared, and made smaller."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Literal


@dataclass(frozen=True, slots=True)
class Taken:
    """One thing that a parameter takes: an event, or news about the step or child that the event belongs to."""

    event: str
    form: Literal["event", "failed", "child_done", "child_failed"] = "event"

    def __str__(self) -> str:
        return self.event if self.form == "event" else f"{self.form} {self.event}"


@dataclass(frozen=True, slots=True)
class Given:
    """One thing that stands in an outcome.

    Attributes:
        events: one, or all that may be answered to a question, of which the last is what comes of it otherwise.
    """

    events: tuple[str, ...]
    form: Literal["event", "after", "ask", "child"] = "event"

    def __str__(self) -> str:
        return self.events[0] if self.form == "event" else f"{self.form} {' | '.join(self.events)}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a reactor may return: things, or a fan-out of as many of one thing as chance will have."""

    items: tuple[Given, ...] = ()
    fans: bool = False

    def __str__(self) -> str:
        items = ", ".join(map(str, self.items))
        return f"[{items}]" if self.fans else f"({items})"


@dataclass(frozen=True, slots=True)
class ReactorSpec:
    """A reactor.

    Attributes:
        takes: of each parameter what it takes.
        gathers: its one parameter is a list.
        gives: one of these, by chance; the last, where a loop has gone round often enough.
        risky: fails for good now and then, for there is who catches it.
        once: does a part of its work once.
        looks: events that it looks back for.
    """

    name: str
    service: str
    takes: tuple[tuple[Taken, ...], ...]
    gives: tuple[Outcome, ...]
    gathers: bool = False
    each: str = ""
    enough: int = 0
    within: str = ""
    of: str = ""
    unless: str = ""
    deadline: str = ""
    loops: bool = False
    ordered: bool = False
    compensates: bool = False
    risky: bool = False
    once: bool = False
    looks: tuple[str, ...] = ()

    def __str__(self) -> str:
        takes = ", ".join(" | ".join(map(str, parameter)) for parameter in self.takes)
        gives = " | ".join(map(str, self.gives))
        named = (f.name for f in fields(self) if f.name not in ("name", "service", "takes", "gives"))
        options = {name: value for name in named if (value := getattr(self, name))}
        return f"{self.service}.{self.name}: {takes} -> {gives} {options or ''}"

    def events(self) -> Iterator[str]:
        """All that it names."""
        yield from (taken.event for parameter in self.takes for taken in parameter)
        yield from (event for outcome in self.gives for given in outcome.items for event in given.events)
        yield from self.looks
        yield from filter(None, (self.each, self.unless))


@dataclass(frozen=True, slots=True)
class ChoreographySpec:
    """A choreography, and what becomes of it in later releases.

    Attributes:
        starts: events that runs begin with.
        reactors: those of the first releases.
        changed: what later releases have instead of a reactor of the first, or besides them.
        removed: names of reactors that they lack.
    """

    starts: tuple[str, ...]
    reactors: tuple[ReactorSpec, ...]
    changed: tuple[ReactorSpec, ...] = ()
    removed: tuple[str, ...] = ()

    def __str__(self) -> str:
        changed = (f"later {reactor}" for reactor in self.changed)
        removed = (f"later without {name}" for name in self.removed)
        return "\n".join([", ".join(self.starts), *map(str, self.reactors), *changed, *removed])

    def events(self) -> tuple[str, ...]:
        """All that are named, each once."""
        named = (event for reactor in (*self.reactors, *self.changed) for event in reactor.events())
        return tuple(dict.fromkeys((*self.starts, *named)))
