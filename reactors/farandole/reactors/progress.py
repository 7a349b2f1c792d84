"""How far steps at work have come, as their handlers said it last."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from farandole.eventstore import Stored
from farandole.projections.fold import OwedStep, Verdict
from farandole.schemas import EventTypes, UndecodableValue, system_records
from farandole.schemas.envelope import Flag, Kind, unpack

from .reading import context_of
from .shown import text
from .view import Entry, View


@dataclass(frozen=True, slots=True)
class StepProgress:
    """How far a step has come.

    Attributes:
        reactor: whose step.
        trigger: id of the event that made it owed, as in `OwedStep`.
        done: from 0 to 1.
        note: what its handler said besides.
        at: when the log took it.
    """

    reactor: str
    trigger: str
    done: float
    note: str
    at: datetime


def last_told(view: View) -> Mapping[tuple[str, str, str], Entry]:
    """The newest report of each step of a run that is known of, by trigger, reactor and generation."""
    return {
        (text(e.causation), text(e.reactor), text(e.generation)): entry
        for entry in view.entries
        if (e := entry.envelope).kind == Kind.PROGRESS and entry.verdict is Verdict.ADMITTED
    }


def step_of(step: OwedStep) -> tuple[str, str, str]:
    """What tells a step apart from all others of its run."""
    return step.trigger, step.reactor, step.generation


def progress_in(types: EventTypes, record: Stored) -> StepProgress | None:
    """What a record says; None if it cannot be read here."""
    e, value = unpack(record.headers), record.value
    try:
        if value is not None and e.flags & Flag.CODED:
            value = types.unseal(value, context_of(types, record, e))
        said: Mapping[str, Any] = system_records.PROGRESS.decode(value)
    except UndecodableValue:
        return None
    at = datetime.fromtimestamp(record.time / 1000, UTC)
    return StepProgress(text(e.reactor), text(e.causation), said["done"], said["note"], at)
