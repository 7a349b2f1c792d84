"""When schedules tick, across the changes of the clocks; the same for every keeper; and what is caught up with."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from farandole.reactors.schedules import Schedule
from farandole.reactors.ticking import FRESH, MOST_CAUGHT_UP, due_of, from_ms, in_ms, next_tick, ticks, wanted
from farandole.schemas import DeclarationError, Start

PARIS = ZoneInfo("Europe/Paris")


class Night(Start): ...


def schedule(cron: str | None = None, **more: Any) -> Schedule:
    return Schedule(name=more.pop("name", "night"), start=Night(), cron=cron, **more)


def paris(cron: str, *, day: str) -> list[str]:
    """The ticks of a day in Paris, as clocks there show them."""
    begin = datetime.fromisoformat(day).replace(tzinfo=PARIS)
    found = ticks(schedule(cron, tz="Europe/Paris"), begin - timedelta(seconds=1), begin + timedelta(hours=23))
    return [tick.astimezone(PARIS).strftime("%H:%M %Z") for tick in found]


def test_ticks_are_read_in_the_schedules_time_zone() -> None:
    night = schedule("0 2 * * *", tz="Europe/Paris")
    begin = datetime(2026, 7, 1, tzinfo=UTC)
    assert list(ticks(night, begin, begin + timedelta(days=2))) == [
        begin + timedelta(days=1),
        begin + timedelta(days=2),
    ]
    assert next_tick(night, datetime(2026, 1, 1, 0, 0, tzinfo=UTC)) == datetime(2026, 1, 1, 1, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("cron", "spring", "autumn"),
    [
        ("30 2 * * *", ["03:00 CEST"], ["02:30 CEST"]),
        ("0,30 2 * * *", ["03:00 CEST"], ["02:00 CEST", "02:30 CEST"]),
        ("0 2,3 * * *", ["03:00 CEST"], ["02:00 CEST", "03:00 CET"]),
        ("0 3 * * *", ["03:00 CEST"], ["03:00 CET"]),
        ("30 * * * *", ["00:30 CET", "01:30 CET", "03:30 CEST"], ["00:30 CEST", "01:30 CEST", "02:30 CEST"]),
        ("*/30 2 * * *", [], ["02:00 CEST", "02:30 CEST", "02:00 CET", "02:30 CET"]),
    ],
)
def test_the_clocks_change(cron: str, spring: list[str], autumn: list[str]) -> None:
    """02:30 is not on 29 March 2026, and is twice on 25 October."""
    assert paris(cron, day="2026-03-29")[: max(len(spring), 1)] == spring
    assert paris(cron, day="2026-10-25")[: len(autumn)] == autumn


def test_each_day_of_a_year_has_its_night() -> None:
    begin, end = datetime(2026, 1, 1, tzinfo=PARIS), datetime(2027, 1, 1, tzinfo=PARIS)
    nights = [t.astimezone(PARIS) for t in ticks(schedule("30 2 * * *", tz="Europe/Paris"), begin, end)]
    assert len({night.date() for night in nights}) == len(nights) == 365


def test_every_counts_from_1970_or_from_the_first() -> None:
    noon = datetime(2026, 1, 1, 12, 0, 1, tzinfo=UTC)
    quarter = schedule(every=timedelta(minutes=15))
    assert next_tick(quarter, noon) == datetime(2026, 1, 1, 12, 15, tzinfo=UTC)
    assert next_tick(quarter, datetime(2026, 1, 1, 12, 15, tzinfo=UTC)) == datetime(2026, 1, 1, 12, 30, tzinfo=UTC)
    later = schedule(every=timedelta(hours=7), first=noon + timedelta(days=1))
    assert list(islice(ticks(later, noon, noon + timedelta(days=9)), 2)) == [
        noon + timedelta(days=1),
        noon + timedelta(days=1, hours=7),
    ]


def test_cron_ticks_not_before_the_first() -> None:
    first = datetime(2026, 3, 1, 2, tzinfo=UTC)
    assert next_tick(schedule("0 2 * * *", first=first), datetime(2026, 1, 1, tzinfo=UTC)) == first


CRONS = st.builds(
    lambda *fields: " ".join(fields),
    st.sampled_from(["0", "30", "15,45", "*", "*/20", "0-5"]),
    st.sampled_from(["0", "2", "1-3", "*", "*/2", "0,23"]),
    st.sampled_from(["*", "*", "29", "L"]),
    st.sampled_from(["*", "*", "3,10"]),
    st.sampled_from(["*", "*", "SUN", "1-5"]),
)
ZONES = st.sampled_from(
    ["UTC", "Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Santiago"]
)
SCHEDULES = st.builds(
    lambda cron, tz, name: schedule(cron, tz=tz, name=name), CRONS, ZONES, st.sampled_from(["a", "b"])
)
SCHEDULES |= st.builds(lambda s: schedule(every=timedelta(seconds=s)), st.integers(60, 90_000))
# About the changes of the clocks in these zones in 2026, and any day.
MOMENTS = st.builds(
    lambda day, seconds: datetime.fromisoformat(day).replace(tzinfo=UTC) + timedelta(seconds=seconds),
    st.sampled_from(["2026-03-28", "2026-03-08", "2026-04-04", "2026-09-05", "2026-10-03", "2026-10-24", "2026-11-01"]),
    st.integers(0, 2 * 86_400),
)


def within(cut: Schedule, times: Iterable[datetime]) -> list[datetime]:
    return [tick for begin, end in pairwise(times) for tick in ticks(cut, begin, end)]


@given(SCHEDULES, MOMENTS, st.lists(st.integers(0, 3 * 86_400), max_size=5))
@example(schedule("15,45 2 * * *", tz="Europe/Paris"), datetime(2026, 10, 25, 0, 50, tzinfo=UTC), [3_600])
def test_ticks_ascend_and_are_the_same_over_any_cut(it: Schedule, begin: datetime, cuts: list[int]) -> None:
    end = begin + timedelta(days=3)
    whole = list(ticks(it, begin, end))
    assert all(a < b for a, b in pairwise(whole))
    assert all(begin < tick <= end for tick in whole)
    assert within(it, [begin, *(begin + timedelta(seconds=s) for s in sorted(cuts)), end]) == whole
    assert all(tick.microsecond == 0 for tick in whole)


@given(SCHEDULES, MOMENTS, st.integers(0, 7_200_000))
def test_jitter_keeps_the_order_and_is_the_same_for_all(it: Schedule, begin: datetime, most: int) -> None:
    jitter = timedelta(milliseconds=most)
    mine, other = (
        Schedule(name=it.name, start=it.start, cron=it.cron, every=it.every, tz=it.tz, jitter=jitter) for _ in range(2)
    )
    found = list(islice(ticks(mine, begin, begin + timedelta(days=3)), 20))
    due = [due_of(mine, tick) for tick in found]
    assert due == [due_of(other, tick) for tick in found]
    assert all(a < b for a, b in pairwise(due))
    assert all(tick <= at <= tick + jitter for tick, at in zip(found, due, strict=True))


def test_jitter_is_spread() -> None:
    often = schedule(every=timedelta(minutes=1), jitter=timedelta(seconds=50))
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    late = {due_of(often, tick) - tick for tick in ticks(often, begin, begin + timedelta(hours=10))}
    assert len(late) > 500
    assert min(late) < timedelta(seconds=2)
    assert max(late) > timedelta(seconds=48)
    assert due_of(often, begin) != due_of(schedule(every=often.every, jitter=often.jitter, name="other"), begin)


@given(SCHEDULES, MOMENTS, st.integers(0, 3 * 86_400_000), st.sampled_from([0, 90_000]))
def test_catching_up_with_the_last_is_the_newest_that_is_due(
    it: Schedule, begin: datetime, gap: int, most: int
) -> None:
    jittered = Schedule(
        name=it.name, start=it.start, cron=it.cron, every=it.every, tz=it.tz, jitter=timedelta(milliseconds=most)
    )
    last = in_ms(begin)
    end = begin + timedelta(milliseconds=gap)
    due = [in_ms(t) for t in ticks(jittered, from_ms(last), end) if due_of(jittered, t) <= from_ms(last + gap)]
    assert wanted(jittered, last, last + gap) == due[-1:]


HOUR = 3_600_000
NOW = in_ms(datetime(2026, 1, 1, 12, 0, 30, tzinfo=UTC))


@pytest.mark.parametrize("late", [0, 29_999, 30_000, 30_001, HOUR - 30_001])
def test_without_catching_up_only_a_fresh_tick_is_wanted(late: int) -> None:
    hourly = schedule("0 * * * *", catch_up="none")
    fresh = late <= FRESH / timedelta(milliseconds=1) - 30_000
    assert wanted(hourly, NOW - 5 * HOUR, NOW + late) == ([NOW - 30_000] if fresh else [])


def test_all_are_caught_up_with_a_thousand_at_a_time() -> None:
    minutely = schedule("* * * * *", catch_up="all")
    assert wanted(minutely, NOW - HOUR, NOW) == [NOW - 30_000 - n * 60_000 for n in reversed(range(60))]
    first = wanted(minutely, NOW - 30 * HOUR, NOW)
    assert len(first) == MOST_CAUGHT_UP
    rest = wanted(minutely, first[-1], NOW)
    assert len(first) + len(rest) == 30 * 60
    assert wanted(minutely, rest[-1], NOW) == []


@pytest.mark.parametrize("catch_up", ["none", "last", "all"])
def test_a_schedule_that_is_new_has_nothing_to_catch_up_with(catch_up: Any) -> None:
    hourly = schedule("0 * * * *", catch_up=catch_up)
    assert wanted(hourly, None, NOW) == [NOW - 30_000]
    assert wanted(hourly, None, NOW + HOUR // 2) == []


def test_the_newest_of_a_year_is_found_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = 0
    minutely = schedule("* * * * *")

    def counted(*args: Any) -> Any:
        nonlocal seen
        for tick in ticks(*args):
            seen += 1
            yield tick

    monkeypatch.setattr("farandole.reactors.ticking.ticks", counted)
    assert wanted(minutely, NOW - 365 * 24 * HOUR, NOW) == [NOW - 30_000]
    assert seen < 100
    yearly = schedule("0 0 1 1 *")
    assert wanted(yearly, NOW - 3 * 365 * 24 * HOUR, NOW) == [in_ms(datetime(2026, 1, 1, tzinfo=UTC))]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"cron": "daily"}, "cron='daily' has not five fields"),
        ({"cron": "0 0 2 * * *"}, "has not five fields"),
        ({"cron": "60 2 * * *"}, "the minute '60' cannot be; it is 0 to 59"),
        ({"cron": "0 24 * * *"}, "the hour '24' cannot be; it is 0 to 23"),
        ({"cron": "0 2 32 * *"}, "the day of month '32' cannot be"),
        ({"cron": "0 2 31 2 *"}, "the day of month '31' cannot be"),
        ({"cron": "0 2 * 13 *"}, "the month '13' cannot be"),
        ({"cron": "0 2 * * MOON"}, "the day of week 'MOON' cannot be; it is 0 to 7, or SUN to SAT"),
        ({"cron": "0 5-3 * * *"}, "the hour '5-3' cannot be"),
        ({"tz": "Mars/Base"}, "time zone 'Mars/Base' is not known here"),
        ({"name": "two words"}, "is no name"),
        ({"cron": None}, "give either cron="),
        ({"every": timedelta(hours=1)}, "give either cron="),
        ({"cron": None, "every": timedelta(0)}, "is not a whole number of seconds"),
        ({"cron": None, "every": timedelta(seconds=1.5)}, "every=1s500ms is not a whole number of seconds"),
        ({"cron": None, "every": timedelta(hours=1), "tz": "Europe/Paris"}, "in no zone"),
        ({"overlap": "kill"}, "overlap='kill' is none of skip, allow, queue, replace"),
        ({"catch_up": "some"}, "catch_up='some' is none of none, last, all"),
        ({"first": datetime(2026, 1, 1)}, "first= has no time zone"),
        (
            {"cron": None, "every": timedelta(minutes=5), "first": datetime(2026, 1, 1, 2, 0, 0, 500, tzinfo=UTC)},
            "give a whole one, as first=2026-01-01T02:00:00+00:00",
        ),
    ],
)
def test_a_schedule_that_cannot_be_read_says_why(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(DeclarationError) as refused:
        Schedule(**{"name": "night", "start": Night(), "cron": "0 2 * * *", **wrong})
    assert message in str(refused.value)
    assert str(refused.value).startswith("schedule ")


def test_when_in_words() -> None:
    assert schedule("0 2 * * *", tz="Europe/Paris").when == "0 2 * * * Europe/Paris"
    assert schedule("0 2 * * *").when == "0 2 * * *"
    assert schedule(every=timedelta(minutes=90)).when == "every 1h30m"
