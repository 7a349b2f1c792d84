"""Claims, losses, progress and sub-steps of random logs."""

from typing import TYPE_CHECKING, Final

from farandole.projections.fold import Fold, Verdict
from farandole.schemas.envelope import Header, Kind

from .maker import Maker

if TYPE_CHECKING:
    from flow.random_log import RandomLog

_KINDS: Final = (Kind.CLAIM, Kind.LOST, Kind.PROGRESS, Kind.SUBSTEP)
_HOLDERS: Final = (b"a" * 16, b"b" * 16)
_NAMES: Final = (b"one", b"two", b"three", b"four")


def long_step(log: "RandomLog", fold: Fold) -> tuple[bytes | None, bytes | None, list[Header]]:
    r = log._random
    key, (trigger, reactor, generation), _ = log._pair(fold)
    worked_on = [
        (run.id, pair.key) for run in fold.runs.values() for pair in run.owed.values() if pair.work is not None
    ]
    if worked_on and r.random() < 0.6:
        key, (trigger, reactor, generation) = r.choice(sorted(worked_on))
    kind = r.choices(_KINDS, (6, 6, 1, 5))[0]
    extra, delay = b"", 0
    run = fold.runs.get(key)
    pair = run.owed.get((trigger, reactor, generation)) if run is not None else None
    if kind is Kind.SUBSTEP:
        extra = r.choices((r.choice(_NAMES), b"", b"n" * 256), (30, 1, 1))[0]
    elif kind is not Kind.PROGRESS:
        holder = pair.work.holder if pair is not None and pair.work is not None else b""
        extra = r.choices((r.choice(_HOLDERS), holder or r.choice(_HOLDERS), b"short"), (20, 20, 1))[0]
        delay = r.choice((60, 30, 30, 5, 1, 1, 0, -1))
    headers = log._headers(
        kind, log._id(), b"farandole." + kind.name.title().encode(), delay=delay, extra=extra, causation=trigger,
        reactor=reactor, generation=generation,
    )  # fmt: skip
    return key, b"", headers


MAKERS: Final = (Maker(long_step, 30, frozenset((Verdict.NOT_PENDING, Verdict.CLAIMED, Verdict.FULL))),)
