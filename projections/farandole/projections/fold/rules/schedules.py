"""A schedule ticks, and people say what becomes of it."""

from typing import TYPE_CHECKING

from farandole.eventstore import Stored, partition_of
from farandole.projections.fold.applied import Applied
from farandole.projections.fold.schedules import Schedule, ticked
from farandole.projections.fold.verdict import Verdict
from farandole.schemas.envelope import Envelope
from farandole.schemas.kinship import MOST_SCHEDULE, Ticked

if TYPE_CHECKING:
    from farandole.projections.fold.fold import Fold


def governed(fold: "Fold", record: Stored, e: Envelope, out: Applied) -> Verdict:
    """Admitted iff it is of a schedule whose name belongs here. Nothing follows from it: what ticks is in the catalogue."""
    name = record.key or b""
    if not 0 < len(name) <= MOST_SCHEDULE:
        return Verdict.UNREADABLE
    return Verdict.ADMITTED if partition_of(name, fold.partitions) == fold.partition else Verdict.MISROUTED


def tick(fold: "Fold", record: Stored, e: Envelope, out: Applied) -> Verdict:
    """Admitted iff it is newer than the schedule's last, and its time has come."""
    name, said = record.key or b"", Ticked.read(e.extra)
    if not 0 < len(name) <= MOST_SCHEDULE or said is None:
        return Verdict.UNREADABLE
    if partition_of(name, fold.partitions) != fold.partition:
        return Verdict.MISROUTED
    schedule = fold.schedules.get(name)
    if schedule is None and len(fold.schedules) >= fold.settings.schedules_most:
        return Verdict.FULL
    if schedule is not None and said.ms <= schedule.last:
        return Verdict.SUPERSEDED
    if fold.log_time < said.ms:
        return Verdict.NOT_DUE
    if schedule is None:
        schedule = fold.schedules[name] = Schedule(name)
    ticked(fold, schedule, said, e.id, record.offset, out)
    return Verdict.ADMITTED
