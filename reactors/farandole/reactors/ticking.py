"""When a schedule ticks, and which of its ticks are wanted: pure, the same for every keeper.

**Summer time**, as in Debian's cron. Where minute and hour are both given, a tick at a time that the clocks skip comes
at the first minute after, and one at a time that they show twice comes the first time only. Where one of them begins
with a star, ticks follow the time that passes: what is skipped has none, what comes twice has them twice.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from itertools import islice
from typing import Final

from cronsim import CronSim

from .schedules import Schedule

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MS: Final = timedelta(milliseconds=1)
FRESH: Final = timedelta(seconds=60)
"""A tick that is due no longer than so is no tick to catch up with."""
MOST_CAUGHT_UP: Final = 1_000
"""Ticks that are wanted at once. The rest are when these have been published."""
_WINDOW: Final = timedelta(hours=1)


def ticks(schedule: Schedule, after: datetime, until: datetime) -> Iterator[datetime]:
    """The ticks after one time and up to another, that one included, in UTC; each later than the one before."""
    if schedule.first is not None:
        after = max(after, schedule.first - timedelta(microseconds=1))
    for tick in _every(schedule, after) if schedule.every is not None else _cron(schedule, after):
        if tick > until:
            return
        yield tick


def next_tick(schedule: Schedule, after: datetime) -> datetime | None:
    """The first tick after a time; None if there is none."""
    return next(ticks(schedule, after, datetime.max.replace(tzinfo=UTC)), None)


def due_of(schedule: Schedule, tick: datetime) -> datetime:
    """When a tick's run is to be started: at the tick, or within ``jitter`` after it, but before the next tick.

    The same whoever asks, so that two keepers wait for the same time; and in the order of the ticks.
    """
    if not schedule.jitter:
        return tick
    following = next_tick(schedule, tick)
    room = schedule.jitter if following is None else min(schedule.jitter, following - tick)
    drawn = blake2b(f"{schedule.name}\0{in_ms(tick)}".encode(), digest_size=8).digest()
    return tick + (room // _MS) * int.from_bytes(drawn, "big") // 2**64 * _MS


def wanted(schedule: Schedule, last: int | None, now: int) -> list[int]:
    """The ticks that are to be published now, the earliest first.

    Args:
        schedule: as it is in force.
        last: the last tick that was published, or the time since when the schedule is there; in milliseconds since 1970.
            None: nothing is caught up with.
        now: likewise.
    """
    end = from_ms(now)
    begin = end - FRESH - schedule.jitter if last is None else from_ms(last)
    if schedule.catch_up == "all" and last is not None:
        due = (tick for tick in ticks(schedule, begin, end) if due_of(schedule, tick) <= end)
        return [in_ms(tick) for tick in islice(due, MOST_CAUGHT_UP)]
    newest = _newest(schedule, begin, end)
    if newest is None:
        return []
    late = end - due_of(schedule, newest) > FRESH
    return [] if late and (schedule.catch_up == "none" or last is None) else [in_ms(newest)]


def in_ms(time: datetime) -> int:
    """Milliseconds since 1970 UTC."""
    return (time - _EPOCH) // _MS


def from_ms(time: int) -> datetime:
    return _EPOCH + time * _MS


def _newest(schedule: Schedule, begin: datetime, end: datetime) -> datetime | None:
    """The last tick in a span that is due at its end.

    Looked for in ever longer stretches before the end, lest a year's ticks be gone through for one.
    """
    window = _WINDOW + schedule.jitter
    while True:
        start = max(begin, end - window)
        found = None
        for tick in ticks(schedule, start, end):
            if due_of(schedule, tick) <= end:
                found = tick
        if found is not None or start == begin:
            return found
        window *= 8


def _every(schedule: Schedule, after: datetime) -> Iterator[datetime]:
    assert schedule.every is not None
    origin = _EPOCH if schedule.first is None else schedule.first.astimezone(UTC)
    tick = origin + ((after - origin) // schedule.every + 1) * schedule.every
    while True:
        yield tick
        tick += schedule.every


def _cron(schedule: Schedule, after: datetime) -> Iterator[datetime]:
    assert schedule.cron is not None
    last = after
    for local in CronSim(schedule.cron, after.astimezone(schedule.zone)):
        tick = local.astimezone(UTC)
        # Several times that the clocks skip come at one, and one that they show twice may lie before `after`.
        if tick > last:
            last = tick
            yield tick
