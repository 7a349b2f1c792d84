"""What a choreography's graph is made of: events, reactors with what they take and give, schedules. Plain data."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Literal

from farandole.reactors.annotations.parts import ElementForm, TriggerForm

EventKind = Literal["event", "start", "signal", "answer", "end"]
GivenForm = Literal["one", "after", "ask", "otherwise", "child"]
Shape = Literal["none", "one", "tuple", "list"]


@dataclass(frozen=True, slots=True)
class EventNode:
    """A type of event. Its key is its name in the log."""

    choreography: str
    name: str
    kind: EventKind
    wants_reactor: bool = True
    compensate: bool = False
    """Of an end: it undoes what the run's steps did."""
    deadline: timedelta | None = None

    @property
    def key(self) -> str:
        return f"{self.choreography}.{self.name}"


@dataclass(frozen=True, slots=True)
class Taken:
    """One form in which a parameter takes events; no events: any (a bare ``Failed``)."""

    form: ElementForm
    events: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Input:
    """A parameter that starts a reactor; several of them are joined."""

    param: str
    form: TriggerForm
    elements: tuple[Taken, ...]

    @property
    def events(self) -> tuple[str, ...]:
        """The events that it takes as they are, in a list or alone."""
        return tuple(dict.fromkeys(e for taken in self.elements if taken.form == "event" for e in taken.events))


@dataclass(frozen=True, slots=True)
class Given:
    """An event that may come of a step, and how: at once, after a time, as an answer or instead of one, as a child."""

    event: str
    form: GivenForm = "one"


@dataclass(frozen=True, slots=True)
class Alternative:
    """One of the things that a step may return: all its places, and in each place one of what stands there.

    Of a ``list`` there is one place, for each of the branches.
    """

    shape: Shape
    places: tuple[tuple[Given, ...], ...] = ()

    def givens(self) -> Iterator[Given]:
        for place in self.places:
            yield from place


@dataclass(frozen=True, kw_only=True, eq=False)
class ReactorNode:
    """A reactor: what starts it, what may come of it, and what it promises. Each is equal to itself alone."""

    choreography: str
    name: str
    service: str
    inputs: tuple[Input, ...]
    alternatives: tuple[Alternative, ...]
    of: tuple[str, ...] = ()
    """Names of the reactors whose failures it takes; none: of all."""
    each: str = ""
    """The event of the fan-out that it gathers; empty: the only one that leads to it."""
    enough: int | None = None
    within: timedelta | None = None
    unless: tuple[str, ...] = ()
    ordered: bool = False
    undo: str = ""
    """The function that undoes its step; empty: there is none."""
    folds: tuple[str, ...] = ()
    """Events that it looks back at."""
    waits: tuple[timedelta, ...] = ()
    """The waits that its code names."""
    asks_for_ever: bool = False
    """Its code asks a question with no end to the waiting."""
    missing: tuple[str, ...] = ()
    """What it asks for and nothing provides."""

    @property
    def key(self) -> str:
        return f"{self.choreography}.{self.name}"

    @cached_property
    def takes(self) -> tuple[str, ...]:
        """The events that it takes as they are, each once."""
        return tuple(dict.fromkeys(e for taken in self.inputs for e in taken.events))

    @property
    def gathers(self) -> bool:
        """Whether it is a fan-in."""
        return any(taken.form == "list" for taken in self.inputs)

    @cached_property
    def takes_failures(self) -> bool:
        return any(e.form == "failed" for taken in self.inputs for e in taken.elements)

    @property
    def optional(self) -> bool:
        """Whether it may return nothing."""
        return any(alternative.shape == "none" for alternative in self.alternatives)

    def givens(self) -> Iterator[Given]:
        """All that may come of a step, repeats included."""
        for alternative in self.alternatives:
            yield from alternative.givens()

    def fan_outs(self) -> Iterator[tuple[int, Alternative]]:
        """The lists that it may return, each with its place among the alternatives."""
        for number, alternative in enumerate(self.alternatives):
            if alternative.shape == "list":
                yield number, alternative


@dataclass(frozen=True, slots=True)
class ScheduleNode:
    """Runs started by the clock."""

    choreography: str
    name: str
    start: str
    when: str
    """In words, such as ``0 2 * * * Europe/Paris``."""
