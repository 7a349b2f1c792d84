"""Fan-ins that expire. Outcomes that are lists are made with the others."""

from typing import TYPE_CHECKING

from farandole.projections.fold import Fold, Verdict
from farandole.schemas.envelope import Header, Kind

from .maker import Maker

if TYPE_CHECKING:
    from flow.random_log import RandomLog


def expiry(log: "RandomLog", fold: Fold) -> tuple[bytes | None, bytes | None, list[Header]]:
    """The time of a fan-in is over, or not yet; or there is none."""
    gathering = [
        (run.id, fanout.id, gathering.reactor)
        for run in fold.runs.values()
        for fanout in ((run.pending and run.pending.fanouts) or {}).values()
        for gathering in fanout.gatherings or ()
    ]
    key, fanout, reactor = log._random.choice([*gathering * 9, (log._key(fold), b"no fan-out", b"r1")])
    return key, b"", log._headers(Kind.EXPIRY, log._id(), b"farandole.Failure", causation=fanout, reactor=reactor)


BRANCHES = Maker(expiry, 6, frozenset((Verdict.NOT_PENDING,)))
