"""Children, messages and news: section 16 of the protocol."""

from typing import TYPE_CHECKING, Any

from tests.projections.fold.said import a_child, a_sender, some_news

from farandole.projections.fold import Fold, Verdict
from farandole.schemas.envelope import Flag, Header, Kind
from farandole.schemas.ids import derived_id

from .maker import Maker

if TYPE_CHECKING:
    from flow.random_log import RandomLog

Made = tuple[bytes | None, bytes | None, list[Header]]


def _bear(log: "RandomLog", fold: Fold) -> Made:
    r = log._random
    key, (trigger, reactor, generation), _ = log._pair(fold)
    count, append, records = r.choice((1, 1, 2, 3)), log._append(), []
    for index in range(count):
        flags, extra = int(Flag.CHILD), a_child(r.choice(TYPES), detach=r.choice((0, 0, 0, 0, 1)))
        if r.random() < 0.2:
            extra = r.choice((b"", b"\2\0\0t.A", b"\0\0\0", a_child(b"t.A", run_id=b"given", choreography=b"u")))
        if r.random() < 0.2:
            flags, extra = r.choice((0, int(Flag.END))), b""
        headers = log._headers(
            Kind.OUTCOME, derived_id(trigger, reactor, generation, index), r.choice(TYPES), append=append,
            index=index, count=count, flags=flags, extra=extra, causation=trigger, reactor=reactor,
            generation=generation,
        )  # fmt: skip
        records.append((key, b"", headers))
    first, *rest = records
    log._pending += rest
    return first


def _start(log: "RandomLog", fold: Fold) -> Made:
    r = log._random
    causation = b"%d" % r.randrange(30)
    id = b"x" + causation if r.random() < 0.95 else log._id()
    extra = a_sender(r.choice(RUNS[:3]), depth=r.choice((0, 1, 1, 1, 16, 17)), flags=r.choice((0, 0, 0, 1, 2)))
    if r.random() < 0.1:
        extra = r.choice((extra[:13], b"\2" + extra[1:], extra[:12] + b"\xff"))
    headers = log._headers(Kind.START, id, r.choice(TYPES), causation=causation, extra=extra)
    return r.choice(RUNS), b"", headers


def _cancel(log: "RandomLog", fold: Fold) -> Made:
    r = log._random
    key = log._key(fold) if r.random() < 0.5 else b"run-%d" % r.randrange(60)
    run = fold.runs.get(key)
    causation = run.start if run is not None and r.random() < 0.8 else b"x%d" % r.randrange(30)
    not_after = r.choice((0, *[log._time + r.randrange(1, 40)] * 9, log._time - 5))
    headers = log._headers(
        Kind.CANCEL, log._id(), b"farandole.Cancel", causation=causation, extra=a_sender(b"p"), not_after=not_after
    )
    return key, b"", headers


def _answer(log: "RandomLog", fold: Fold) -> Made:
    """News of a child, or that a message was delivered; mostly of one that is pending."""
    r = log._random
    key = log._key(fold)
    pending = fold.runs[key].pending if key in fold.runs else None
    more: dict[str, Any] = {"flags": int(Flag.OF_SCHEDULE) if r.random() < 0.03 else 0}
    if r.random() < 0.5:
        messages = list(pending.messages or ()) if pending is not None else []
        id, n = r.choice(messages) if messages else (b"none", r.randrange(3))
        extra = bytes([r.choice((0, 0, 0, 20, 21))]) + bytes(8 if r.random() < 0.95 else 7)
        headers = log._headers(
            Kind.DELIVERED, log._id(), b"farandole.Delivered", causation=id, attempt=n, extra=extra, **more
        )
        return key, b"", headers
    children = sorted(pending.children or ()) if pending is not None else []
    child = r.choice(children) if children else b"none"
    kind = r.choice((Kind.CHILD_ENDED, Kind.CHILD_FAILED))
    extra = some_news(r.choice(TYPES), flags=r.choice((0, 1, 1, 2, 4)))
    if r.random() < 0.05:
        extra = r.choice((b"", extra[:10], some_news(b"t.A", run_id=b"")))
    headers = log._headers(kind, log._id(), b"farandole.Child", causation=child, extra=extra, **more)
    return key, b"", headers


def _make(log: "RandomLog", fold: Fold) -> Made:
    return log._random.choices((_bear, _start, _cancel, _answer), (8, 2, 1, 8))[0](log, fold)


TYPES = (b"t.A", b"t.B", b"t.C", b"t.D", b"t.E")
RUNS = tuple(b"run-%d" % n for n in range(12))

CHILDREN = Maker(_make, 14, frozenset((Verdict.NOT_PENDING, Verdict.TOO_DEEP, Verdict.NOT_TAKEN)))
