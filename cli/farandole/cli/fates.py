"""What became of each timer and each question of a run: it came, something dropped it, or it lapsed."""

from collections.abc import Mapping, Sequence

from farandole.projections.fold import Fold, RunStatus
from farandole.schemas.envelope import Envelope, Flag, Kind

from .output import safe
from .timeline import Moment
from .words import short

LAPSED = "lapsed with the result"


def fates(moments: Sequence[Moment], status: RunStatus, fold: Fold) -> Mapping[bytes, str]:
    """In a few words, by the id of the record that set it; nothing of what still waits.

    Args:
        fold: of the run's partition: its contracts say what drops timers.
    """
    admitted = [m.told.envelope for m in moments if m.told.envelope and m.told.admitted]
    fired = {e.id[1:] for e in admitted if e.kind in (Kind.TIMER, Kind.EXPIRY)}
    over = {e.causation: e.kind for e in admitted if e.kind in (Kind.ANSWER, Kind.EXPIRY)}
    waiting = {timer.id.encode() for timer in status.timers} | {d.id.encode() for d in status.decisions}
    found: dict[bytes, str] = {}
    for e in admitted:
        if e.kind != Kind.OUTCOME or e.id in waiting:
            continue
        if e.flags & Flag.ASK and not e.flags & Flag.AFTER:
            found[e.id] = {Kind.ANSWER: "answered", Kind.EXPIRY: "nobody answered"}.get(over.get(e.id), LAPSED)  # type: ignore[call-overload]
        elif e.flags & Flag.AFTER and e.id in fired:
            found[e.id] = "came"
        elif e.flags & Flag.AFTER and not e.flags & Flag.ASK:
            found[e.id] = _dropped(e, admitted, fold) or LAPSED
    return found


def _dropped(timer: Envelope, admitted: Sequence[Envelope], fold: Fold) -> str | None:
    """By what, if by anything: the first event after the trigger that drops timers of its reactor."""
    contract = fold.contracts.get(timer.reactor)
    after = False
    for e in admitted if contract is not None else ():
        if after and contract is not None and e.type in contract.unless:
            return f"dropped by {short(safe(e.type.decode(errors='replace')))}"
        after = after or e.id == timer.causation
    return None
