"""What a reactor may return, as data, and the check of what it did return."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from farandole.reactors.errors import UndeclaredOutcome
from farandole.reactors.outputs import After, Ask, Child, Item
from farandole.schemas import Event

Shape = Literal["none", "one", "tuple", "list", "after", "ask", "child"]


@dataclass(frozen=True, slots=True)
class Member:
    """One member of the union that a reactor returns.

    Attributes:
        shape: its form; ``one`` is an event.
        events: the events named: one for ``one``; all those in the brackets of ``after``, ``ask`` and ``child``.
        places: for a tuple, what may stand at each place; for a list, one place for all its items.
    """

    shape: Shape
    events: tuple[type[Event], ...] = ()
    places: tuple[tuple["Member", ...], ...] = ()

    def all_events(self) -> Iterator[type[Event]]:
        """The events named, in the places too."""
        yield from self.events
        for place in self.places:
            for member in place:
                yield from member.all_events()

    def shapes(self) -> Iterator[Shape]:
        """The shapes of the member and of what stands in its places."""
        yield self.shape
        for place in self.places:
            for member in place:
                yield from member.shapes()


@dataclass(frozen=True)
class Outputs:
    """All that a reactor may return.

    Attributes:
        members: the members of the union.
        text: the annotation, for messages.
        where: the reactor, as ``orders.take_payment``.
    """

    members: tuple[Member, ...]
    text: str
    where: str
    _single: frozenset[type] = field(init=False, repr=False, compare=False)
    _none: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_single", frozenset(m.events[0] for m in self.members if m.shape == "one"))
        object.__setattr__(self, "_none", any(m.shape == "none" for m in self.members))

    @property
    def events(self) -> tuple[type[Event], ...]:
        """Every event that can come of it, each once: in timers, as answers, as starts of children too."""
        return tuple(dict.fromkeys(event for member in self.members for event in member.all_events()))

    @property
    def nothing(self) -> bool:
        """Whether it returns None and nothing else."""
        return all(member.shape == "none" for member in self.members)

    def shapes(self) -> set[Shape]:
        """The shapes that occur anywhere in it."""
        return {shape for member in self.members for shape in member.shapes()}

    def fan_out(self, result: object) -> tuple[type[Event], ...] | None:
        """What the branches may begin with, if ``result``, which `check` took, is a fan-out; else None."""
        if not isinstance(result, list):
            return None
        for member in self.members:
            if member.shape == "list" and _items(member, result) is not None:
                return tuple(member.all_events())
        return None

    def check(self, result: object) -> Sequence[Item]:
        """What a handler returned, as the items to emit, in order; none for None.

        A list is a fan-out, a tuple is not: ``isinstance(result, list)`` tells them apart afterwards.

        Raises:
            UndeclaredOutcome: the annotation does not name what was returned.
        """
        if type(result) in self._single:
            return (result,)  # type: ignore[return-value]
        if result is None and self._none:
            return ()
        for member in self.members:
            items = _items(member, result)
            if items is not None:
                return items
        raise UndeclaredOutcome(
            f"{self.where}: returned {_described(result)}, but it is declared -> {self.text}; "
            "name in the annotation all that it returns"
        )


def _items(member: Member, value: object) -> Sequence[Item] | None:
    """The items of ``value`` if it is what ``member`` declares, else None."""
    if member.shape == "tuple" and isinstance(value, tuple) and len(value) == len(member.places):
        return _placed(value, member.places)
    if member.shape == "list" and isinstance(value, list):
        return _placed(value, member.places * len(value))
    return _item(member, value)


def _placed(values: Sequence[object], places: Sequence[tuple[Member, ...]]) -> Sequence[Item] | None:
    found: list[Item] = []
    for value, place in zip(values, places, strict=True):
        for member in place:
            items = _item(member, value)
            if items is not None:
                found += items
                break
        else:
            return None
    return found


def _item(member: Member, value: object) -> Sequence[Item] | None:
    if member.shape == "one" and type(value) in member.events:
        return (value,)  # type: ignore[return-value]
    match value:
        case Event():
            held: tuple[type[Event], ...] = (type(value),)
            shape: Shape = "one"
        case After():
            held, shape = (type(value.event),), "after"
        case Child():
            held, shape = (type(value.start),), "child"
        case Ask():
            held, shape = value.answers, "ask"
            if value.otherwise is not None:
                held = (*held, type(value.otherwise))
        case _:
            return None
    fits = shape == member.shape and all(_is_one_of(event, member.events) for event in held)
    return (value,) if fits else None


def _is_one_of(event: type[Event], declared: Sequence[type[Event]]) -> bool:
    """Whether a class is declared: itself, or as it was before its module or notebook cell ran again."""
    return event in declared or any(
        (event.__module__, event.__qualname__) == (known.__module__, known.__qualname__) for known in declared
    )


def _described(value: object) -> str:
    match value:
        case tuple() | list():
            inner = ", ".join(_described(v) for v in value[:10]) + (", ..." if len(value) > 10 else "")
            return f"({inner})" if isinstance(value, tuple) else f"[{inner}]"
        case After():
            return f"After[{type(value.event).__name__}]"
        case Child():
            return f"Child[{type(value.start).__name__}]"
        case Ask():
            held = [answer.__name__ for answer in value.answers]
            return f"Ask[{' | '.join(held if value.otherwise is None else [*held, type(value.otherwise).__name__])}]"
        case None:
            return "None"
        case _:
            return type(value).__name__
