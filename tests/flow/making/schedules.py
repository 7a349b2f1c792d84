"""Ticks, and what schedules hear: section 17 of the protocol."""

from typing import TYPE_CHECKING

from tests.projections.fold.said import a_tick, some_news

from farandole.projections.fold import Fold, Verdict
from farandole.schemas.envelope import Flag, Header, Kind

from .maker import Maker

if TYPE_CHECKING:
    from flow.random_log import RandomLog

NAMES = tuple(b"schedule-%d" % n for n in range(8))


def _tick(log: "RandomLog", fold: Fold) -> tuple[bytes | None, bytes | None, list[Header]]:
    r = log._random
    said = a_tick(log._time + r.choice((0, 0, -1, -2, -9, 50)), r.choice((b"t.A", b"t.B")), overlap=r.randrange(4))
    if r.random() < 0.05:
        said = r.choice((said[:9], said[:8] + b"\7" + said[9:], b"\xff" + said[1:]))
    return r.choice(NAMES), b"", log._headers(Kind.TICK, log._id(), b"farandole.Tick", extra=said)


def _hear(log: "RandomLog", fold: Fold) -> tuple[bytes | None, bytes | None, list[Header]]:
    r = log._random
    name = r.choice((*sorted(fold.schedules), *NAMES[:1]))
    schedule = fold.schedules.get(name)
    flags = int(Flag.OF_SCHEDULE)
    if r.random() < 0.5:
        children = sorted(schedule.children or ()) if schedule is not None else []
        kind, news = r.choice((Kind.CHILD_ENDED, Kind.CHILD_FAILED)), some_news(b"t.A", flags=r.choice((0, 0, 1, 2)))
        child = r.choice(children) if children else b"none"
        return name, b"", log._headers(kind, log._id(), b"farandole.C", causation=child, extra=news, flags=flags)
    messages = list(schedule.messages or ()) if schedule is not None else []
    id, n = r.choice(messages) if messages else (b"none", 0)
    extra = bytes([r.choice((0, 0, 20))]) + bytes(8)
    headers = log._headers(
        Kind.DELIVERED, log._id(), b"farandole.Delivered", causation=id, attempt=n, extra=extra, flags=flags
    )
    return name, b"", headers


def _make(log: "RandomLog", fold: Fold) -> tuple[bytes | None, bytes | None, list[Header]]:
    return (_tick if log._random.random() < 0.5 else _hear)(log, fold)


SCHEDULES = Maker(_make, 8, frozenset((Verdict.FULL,)))
