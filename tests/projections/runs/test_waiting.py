"""Open runs are told by what they wait for, each in one group, those that stand longest first, however many there are."""

from collections import Counter
from collections.abc import AsyncIterator

import pytest
from tests.projections.runs.logs import RecordedLog
from tests.projections.runs.model import a_random_log
from tests.projections.runs.projecting import projected

from farandole.projections.runs import Database
from farandole.projections.runs.query import RunRow, Runs, Where
from farandole.projections.runs.query.waiting import WAITS_FOR


@pytest.fixture(params=[42, 62, 63, 74])
async def runs(request: pytest.FixtureRequest, database: Database) -> AsyncIterator[Runs]:
    await projected(RecordedLog(a_random_log(request.param, 400)), database)
    yield Runs(database, "t")


def group_of(run: RunRow) -> str:
    """What a run waits for in the first place, from its row."""
    fits = {
        "people": run.decisions > 0,
        "retry": run.parked > 0,
        "resume": run.paused,
        "reactor": run.unserved > 0 and not run.owed,
        "again": run.status == "retrying",
        "events": bool(run.waits),
        "children": run.children > 0,
        "timers": run.timers > 0,
        "work": run.owed > 0,
    }
    return next((name for name, fit in fits.items() if fit), "nothing")


def standing(run: RunRow) -> tuple[int, int, int]:
    return run.touched, run.partition, run.run


async def test_each_open_run_is_in_one_group_and_those_that_stand_longest_come_first(runs: Runs) -> None:
    open_ = sorted((await runs.list(Where(open=True), limit=500)).found, key=standing)
    assert open_
    groups = (await runs.waiting(each=3)).found
    assert {each.waits_for: each.runs for each in groups} == Counter(group_of(run) for run in open_)
    assert [each.waits_for for each in groups] == [name for name in WAITS_FOR if name in {group_of(r) for r in open_}]
    for group in groups:
        members = [run for run in open_ if group_of(run) == group.waits_for]
        assert group.longest == tuple(members[:3])
        assert group.since == members[0].touched


@pytest.mark.parametrize("order", ["touched", "started"])
async def test_pages_from_the_oldest_on_are_the_same_list_from_behind(runs: Runs, order: str) -> None:
    newest = (await runs.list(order=order, limit=500)).found  # type: ignore[arg-type]
    found: list[RunRow] = []
    cursor = None
    while True:
        page = await runs.list(order=order, oldest_first=True, limit=3, cursor=cursor)  # type: ignore[arg-type]
        found, cursor = [*found, *page.found], page.next
        if cursor is None:
            break
    assert found == list(newest)[::-1]


async def test_a_group_is_a_filter_of_the_list(runs: Runs) -> None:
    for group in (await runs.waiting(each=500)).found:
        page = await runs.list(Where(waits_for=group.waits_for), oldest_first=True, limit=500)
        assert page.found == group.longest
        assert (await runs.counts(Where(waits_for=group.waits_for))).found == Counter(r.status for r in group.longest)
