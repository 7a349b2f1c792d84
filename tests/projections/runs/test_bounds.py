"""No question is answered with more than fits: large answers say that there is more, or come in pages that hold still."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import delete, insert, select
from tests.projections.runs.logs import RecordedLog
from tests.projections.runs.model import a_random_log
from tests.projections.runs.projecting import projected

from farandole.projections.runs import tables as t
from farandole.projections.runs.query import FailureGroup, Runs, TooWide, UnknownCursor, details
from farandole.projections.runs.query.governing import DAY
from farandole.projections.runs.query.pages import cursor_of
from farandole.projections.sql import Database


@pytest.fixture
async def runs(database: Database) -> AsyncIterator[Runs]:
    """Questions about the runs of a random log."""
    await projected(RecordedLog(a_random_log(4, 400)), database)
    yield Runs(database, "t", patience=1.0)


async def test_causes_come_in_pages_that_hold_each_once_though_some_go_meanwhile(runs: Runs) -> None:
    with runs.database.writing() as connection:
        row = dict(connection.execute(select(t.failures)).mappings().first() or {})
        for n in range(7):
            more = {"log_offset": 10_000 + n, "fingerprint": f"{n:04}", "at": n % 3, "reactor": "ship" if n % 2 else ""}
            connection.execute(insert(t.failures), {**row, **more})
    whole = list((await runs.causes()).found)
    assert len(whole) == 8
    for limit in (1, 2):
        found: list[FailureGroup] = []
        cursor = None
        while cursor is not None or not found:
            page = await runs.causes(limit=limit, cursor=cursor)
            found, cursor = [*found, *page.found], page.next
            if cursor is None:
                break
        assert found == whole
    first = await runs.causes(limit=2)
    f, (gone, _) = t.failures.c, first.found
    with runs.database.writing() as connection:
        connection.execute(delete(t.failures).where(f.fingerprint == gone.fingerprint, f.reactor == gone.reactor))
    assert (await runs.causes(cursor=first.next)).found == tuple(whole[2:])


@pytest.mark.parametrize(
    "cursor", ["x", cursor_of(1), cursor_of(1, 2, 3, 4), cursor_of(1, 2, "a", "\0"), cursor_of("a", 2, "a", "b")]
)
async def test_a_cursor_of_another_question_is_refused(runs: Runs, cursor: str) -> None:
    with pytest.raises(UnknownCursor):
        await runs.causes(cursor=cursor)


async def test_a_long_run_as_it_was_is_told_by_its_last_events_and_it_is_said_that_there_were_more(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    longest = max((await runs.list(limit=500)).found, key=lambda run: run.events)
    whole = (await runs.state_at(longest.run_id)).found
    assert whole is not None
    assert whole.whole
    assert whole.events == (await runs.history(longest.run_id)).found
    monkeypatch.setattr(details, "MOST", 2)
    some = (await runs.state_at(longest.run_id)).found
    assert some is not None
    assert (some.events, some.whole) == (whole.events[-2:], False)


async def test_of_what_was_open_so_much_is_told(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    busiest = max((await runs.list(limit=500)).found, key=lambda run: run.owed + run.parked)
    whole = (await runs.state_at(busiest.run_id)).found
    assert whole is not None
    monkeypatch.setattr(details, "_MOST_OPEN", len(whole.steps) - 1)
    some = (await runs.state_at(busiest.run_id)).found
    assert some is not None
    assert (some.steps, some.whole) == (whole.steps[:-1], False)


async def test_minutes_are_told_of_a_day_at_most(runs: Runs) -> None:
    newest = max((await runs.freshness()).log_times.values())
    assert (await runs.minutes(newest - DAY)).found
    assert (await runs.minutes(newest, newest + DAY)).found is not None
    for since, upto in ((newest - 2 * DAY, None), (0, 2 * DAY)):
        with pytest.raises(TooWide, match="since= and upto="):
            await runs.minutes(since, upto)
