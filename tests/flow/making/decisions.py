"""Outcomes that ask people, their answers, and what comes without."""

from typing import TYPE_CHECKING, Any

from farandole.projections.fold import Decision, Fold, Verdict
from farandole.schemas.envelope import Flag, Header, Kind
from farandole.schemas.ids import derived_id

from .maker import Maker

if TYPE_CHECKING:
    from flow.random_log import RandomLog

Made = tuple[bytes | None, bytes | None, list[Header]]
_HASH = b"sixteen  bytes  "


def decisions(log: "RandomLog", fold: Fold) -> Made:
    """Any of them."""
    pending = sorted(
        (
            (run.id, decision)
            for run in fold.runs.values()
            if run.pending is not None
            for decision in (run.pending.decisions or {}).values()
        ),
        key=lambda each: (each[0], each[1].id),
    )
    if not pending or log.random.random() < 0.35:
        return _ask(log, fold)
    return log.random.choice((_answer, _answer, _expiry))(log, *log.random.choice(pending))


def _ask(log: "RandomLog", fold: Fold) -> Made:
    r = log.random
    key, (trigger, reactor, generation), _ = log.pair(fold)
    parts: list[dict[str, Any]] = []
    for _ in range(r.choice((1, 1, 2))):
        extra = (
            r.choice((1, 1, 2, 0)).to_bytes(2, "big") + _HASH + b"\0".join(log.type() for _ in range(r.choice((1, 2))))
        )
        extra = extra if r.random() < 0.95 else extra[: r.randrange(20)]
        parts.append({"type": b"farandole.Decision", "flags": int(Flag.ASK), "extra": extra})
        if r.random() < 0.6:
            flags = Flag.AFTER | Flag.ASK | r.choices((0, Flag.END), (20, 1))[0]
            parts.append(
                {"type": b"farandole.After", "flags": int(flags), "extra": log.type(), "delay": r.choice((0, 5, 30))}
            )
    if r.random() < 0.05:
        r.shuffle(parts)
    append, records = log.append(), []
    for index, part in enumerate(parts):
        headers = log.headers(
            Kind.OUTCOME, derived_id(trigger, reactor, generation, index), append=append, index=index,
            count=len(parts), causation=trigger, reactor=reactor, generation=generation, **part,
        )  # fmt: skip
        records.append((key, b"", headers))
    first, *rest = records
    log.later(rest)
    return first


def _answer(log: "RandomLog", key: bytes, decision: Decision) -> Made:
    r = log.random
    by = r.choice((b"", b"ann", b"bob", b"eve"))
    extra = decision.hash + bytes((len(by),)) + by
    if r.random() < 0.2:
        extra = r.choice((b"", bytes(17), bytes(17), b"other" + extra[5:], extra[:16] + b"\xff"))
    type = r.choice(decision.answers) if decision.answers and r.random() < 0.9 else log.type()
    causation = decision.id if r.random() < 0.95 else b"none"
    headers = log.headers(
        Kind.ANSWER, log.id(), type, causation=causation, extra=extra, not_after=log.time + r.randrange(-2, 40)
    )
    return key, b"", headers


def _expiry(log: "RandomLog", key: bytes, decision: Decision) -> Made:
    timer = decision.otherwise
    id, type = (b"x" + timer.id, timer.type) if timer is not None else (b"xnone", log.type())
    if log.random.random() < 0.1:
        type = log.type()
    return key, b"", log.headers(Kind.EXPIRY, id, type, causation=decision.id)


DECISIONS = Maker(decisions, 16, frozenset((Verdict.OTHER_SUBJECT, Verdict.NOT_OFFERED)))
