"""A run as it was, and what one record changed. Pure but for the questions."""

from dataclasses import dataclass
from typing import Any

from farandole.projections.runs.query import RunThen

from .words import short, title


@dataclass(frozen=True, slots=True)
class Change:
    """What a record did to the state: ``+`` came, ``-`` went."""

    sign: str
    what: str
    which: str


def standing(then: RunThen | None) -> dict[str, dict[Any, str]]:
    """What a state has, by kind and key."""
    if then is None:
        return {"event": {}, "owed": {}, "timer": {}, "decision": {}, "child": {}}
    return {
        "event": {event.log_offset: title(event) for event in then.events},
        "owed": {(step.trigger, step.reactor, step.generation): step.reactor for step in then.steps},
        "timer": {timer.log_offset: short(timer.type) for timer in then.timers},
        "decision": {decision.log_offset: decision.question or "a question" for decision in then.decisions},
        "child": {child.log_offset: child.child for child in then.children},
    }


def changes(before: RunThen | None, after: RunThen | None) -> list[Change]:
    """What differs between two states."""
    first, second = standing(before), standing(after)
    found = []
    for what in first:
        # No event leaves a history; of a long one, the first ones are not told.
        gone = {} if what == "event" else first[what]
        found += [Change("-", what, name) for key, name in gone.items() if key not in second[what]]
        found += [Change("+", what, name) for key, name in second[what].items() if key not in first[what]]
    return found
