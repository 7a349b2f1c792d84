"""Which expected events happened, in which order, and what comes near to those that did not."""

from collections.abc import Sequence
from typing import TypeAlias

from farandole.schemas import Event

Wanted: TypeAlias = Event | type[Event]
"""An event, or a type: any event of it."""


def matches(wanted: Wanted, event: Event | str) -> bool:
    if isinstance(event, str):
        return False
    return type(event) is wanted if isinstance(wanted, type) else event == wanted


def in_order(wanted: Sequence[Wanted], events: Sequence[Event | str]) -> list[int | None]:
    """For each wanted event where it happened, after the one before it; None from the first on that did not."""
    found: list[int | None] = []
    at = 0
    for each in wanted:
        place = None if None in found else next((n for n in range(at, len(events)) if matches(each, events[n])), None)
        found.append(place)
        at = at if place is None else place + 1
    return found


def nearest(wanted: Wanted, events: Sequence[Event | str]) -> Event | None:
    """The event of the wanted type that differs least, the last of several; None if there is none."""
    if isinstance(wanted, type):
        return None
    alike = [event for event in events if type(event) is type(wanted) and isinstance(event, Event)]
    return min(reversed(alike), key=lambda event: len(differences(wanted, event)), default=None)


def differences(wanted: Event, event: Event) -> list[str]:
    """The fields in which two events of one type differ."""
    return [
        f"{name}={getattr(event, name)!r} instead of {getattr(wanted, name)!r}"
        for name in type(wanted).model_fields
        if getattr(event, name) != getattr(wanted, name)
    ]


def named(wanted: Wanted) -> str:
    return f"any {wanted.__name__}" if isinstance(wanted, type) else repr(wanted)
