"""Whoever looks after the tables sees each projection of an app beside them: where it is, and whether it goes on."""

import pytest
from tests.projections.custom.shop import Packing, a_log, projected
from tests.projections.custom.test_what_goes_wrong import Poisoned, Skipping

from exposition import Exposition
from farandole.projections import ProjectionStopped
from farandole.projections.runs import Projector
from farandole.projections.runs.metrics import ServerMetrics
from farandole.projections.runs.query import ProjectionRow, Runs
from farandole.projections.sql import Database


@pytest.fixture
async def runs(database: Database) -> Runs:
    """The tables of runs, beside which projections are."""
    projector = Projector(a_log(), database, "orders")
    await projector.catch_up()
    await projector.close()
    return Runs(database, "orders")


async def ends() -> dict[int, int]:
    return {p: end.next for p, end in (await a_log().ends((0, 1))).items()}


async def listed(runs: Runs) -> ProjectionRow:
    (row,) = (await runs.projections()).found
    return row


async def test_there_is_none_before_one_was_kept(runs: Runs) -> None:
    assert (await runs.projections()).found == ()


async def test_one_that_goes_on_is_at_the_end(runs: Runs, database: Database) -> None:
    await projected(Packing, database, a_log())
    row = await listed(runs)
    assert (row.name, row.version, row.state, row.error, row.changed, row.passed_over) == (
        "Packing", Packing.version, "live", "", False, 0,
    )  # fmt: skip
    assert row.positions == {f"orders/{p}": end for p, end in (await ends()).items()}
    assert row.log_times.keys() == row.positions.keys()
    assert row.behind("orders", await ends()) == 0
    assert row.behind("orders", {p: end + 5 for p, end in (await ends()).items()}) == 10


async def test_one_that_stopped_says_at_what_and_is_behind(runs: Runs, database: Database) -> None:
    with pytest.raises(ProjectionStopped) as told:
        await projected(Poisoned, database, a_log())
    row = await listed(runs)
    assert (row.state, row.error) == ("stopped", str(told.value))
    assert row.behind("orders", await ends()) > 0


async def test_of_one_that_passes_over_it_is_told_how_many(runs: Runs, database: Database) -> None:
    await projected(Skipping, database, a_log())
    assert (await listed(runs)).passed_over == 1


@pytest.mark.parametrize(("projection", "stopped"), [(Packing, 0), (Poisoned, 1)])
async def test_prometheus_is_told(runs: Runs, database: Database, projection: type[Packing], stopped: int) -> None:
    try:
        await projected(projection, database, a_log())
    except ProjectionStopped:
        assert stopped
    told = Exposition((await ServerMetrics(runs, store=a_log()).scrape())[0].decode())
    assert told("farandole_custom_projection_stopped", projection="Packing") == stopped
    assert (told("farandole_custom_projection_lag_records", projection="Packing") > 0) == bool(stopped)


async def test_of_a_log_that_does_not_answer_no_lag_is_told(runs: Runs, database: Database) -> None:
    await projected(Packing, database, a_log())
    text = (await ServerMetrics(runs).scrape())[0].decode()
    assert "farandole_custom_projection_stopped{" in text
    assert "farandole_custom_projection_lag_records{" not in text
