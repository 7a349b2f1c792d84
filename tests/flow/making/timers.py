"""Outcomes that set timers, the records that fire them, and runs with deadlines."""

from typing import TYPE_CHECKING, Any

from farandole.projections.fold import Fold, Verdict
from farandole.schemas.envelope import Flag, Header, Kind
from farandole.schemas.ids import derived_id

from .maker import Maker

if TYPE_CHECKING:
    from flow.random_log import RandomLog

Made = tuple[bytes | None, bytes | None, list[Header]]


def timers(log: "RandomLog", fold: Fold) -> Made:
    """Any of them."""
    return log.random.choice((_set, _set, _fire, _fire, _fire, _deadline, _expiry))(log, fold)


def _set(log: "RandomLog", fold: Fold) -> Made:
    r = log.random
    key, (trigger, reactor, generation), _ = log.pair(fold)
    count = r.choice((1, 1, 2, 3))
    append, records = log.append(), []
    for index in range(count):
        more: dict[str, Any] = {"extra": log.type(), "delay": r.choice((0, 1, 5, 20, -2))}
        if r.random() < 0.2:
            more["not_after"] = log.time + r.randrange(-5, 20)
        if r.random() < 0.05:
            more["extra"] = r.choice((b"", b"n" * 256))
        flags = Flag.AFTER | r.choices((0, Flag.NO_REACTOR, Flag.END, Flag.END | Flag.FINAL_END), (20, 3, 2, 1))[0]
        headers = log.headers(
            Kind.OUTCOME, derived_id(trigger, reactor, generation, index), b"farandole.After", append=append,
            index=index, count=count, flags=int(flags), causation=trigger, reactor=reactor, generation=generation,
            **more,
        )  # fmt: skip
        records.append((key, b"", headers))
    first, *rest = records
    log.later(rest)
    return first


def _fire(log: "RandomLog", fold: Fold) -> Made:
    r = log.random
    pending = [
        (run.id, timer)
        for run in fold.runs.values()
        if run.pending is not None
        for timer in (run.pending.timers or {}).values()
    ]
    if not pending or r.random() < 0.05:
        return log.key(fold), b"", log.headers(Kind.TIMER, b"xnone", log.type(), causation=r.choice((b"none", b"")))
    key, timer = r.choice(sorted(pending, key=lambda each: (each[0], each[1].id)))
    type = timer.type if r.random() < 0.95 else log.type()
    id = b"x" + timer.id if r.random() < 0.95 else b"xelse"
    return key, b"", log.headers(Kind.TIMER, id, type, causation=timer.id)


def _deadline(log: "RandomLog", fold: Fold) -> Made:
    headers = log.headers(Kind.START, log.id(), log.type(), delay=log.random.choice((1, 10, 40, -1)))
    return log.any_key(), b"", headers


def _expiry(log: "RandomLog", fold: Fold) -> Made:
    return log.key(fold), None, log.headers(Kind.EXPIRY, log.id(), b"farandole.Expiry")


TIMERS = Maker(timers, 16, frozenset((Verdict.NOT_PENDING,)))
