"""Steps that take long: who has each in hand, and how far it says that it has come."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from farandole.projections.fold import RunStatus
from farandole.reactors.progress import StepProgress

from .output import safe
from .times import ago, clock, span


def at_work(status: RunStatus, told: Sequence[StepProgress], now: int) -> Iterator[str]:
    """A line for each step that is claimed, or that has told how far it is.

    Args:
        now: log time, in milliseconds since 1970 UTC.
    """
    for step in status.owed:
        said = _of(told, step.reactor, step.trigger)
        parts = []
        if step.claimed_until > now:
            left = span((step.claimed_until - now) / 1000)
            parts.append(f"claimed by a worker of {step.service} until {clock(step.claimed_until)}, in {left}")
        if said is not None:
            note = f", {safe(said.note)}" if said.note else ""
            parts.append(f"{said.done:.0%}{note}, told {ago(int(said.at.timestamp() * 1000), now)}")
        if parts:
            yield f"{step.reactor}: {'; '.join(parts)}"


def progress_json(told: Sequence[StepProgress], reactor: str, trigger: str) -> Mapping[str, Any] | None:
    """What a step has told of how far it is, for other programs."""
    said = _of(told, reactor, trigger)
    return None if said is None else {"done": said.done, "note": said.note, "at": said.at}


def _of(told: Sequence[StepProgress], reactor: str, trigger: str) -> StepProgress | None:
    return next((said for said in told if (said.reactor, said.trigger) == (reactor, trigger)), None)
