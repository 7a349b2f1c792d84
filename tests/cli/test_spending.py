"""What runs used of models, at the command line: `costs` of all, `show` of one."""

import asyncio
from pathlib import Path

from .apps.spending_app import Answered, Asked, desk
from .conftest import Cli


async def two_runs(store: str, db: str) -> None:
    """Runs of the app, and their tables."""
    from farandole.eventstore import connect
    from farandole.projections.runs import Database, Projector

    async with desk.work(store, partitions=1) as client:
        for model in ("large", "huge"):
            await (await client.start(Asked(model=model), run_id=model)).result(Answered)
    database = Database(db, "s")
    async with await connect(store, desk.name, create=False) as log:
        projector = Projector(log, database, desk.name)
        await projector.catch_up()
        await projector.close()
    database.close()


def test_costs_are_told_by_what_is_asked_for(cli: Cli, tmp_path: Path) -> None:
    store, db = f"sqlite:///{tmp_path}/log.db", f"sqlite:///{tmp_path}/runs.db"
    asyncio.run(two_runs(store, db))
    words = ("costs", "-c", "spending", "--db", db)
    lines = [line.split() for line in cli(*words).out.splitlines()]
    assert lines[0] == ["AGENT", "MODEL", "COST", "CALLS", "TOKENS", "IN", "CACHED", "TOKENS", "OUT"]
    assert ["answer", "huge", "$0.0125", "1", "1,000", "0", "20"] in lines
    assert ["embedder", "small", "$0", "+", "2", "unpriced", "2", "10", "0", "0"] in lines
    (of_run,) = cli(*words, "--run", "huge", "--by", "run", "--json").json["usage"]
    assert (of_run["run"], of_run["cost"], of_run["calls"], of_run["unpriced"]) == ("huge", "0.0125", 2, 1)
    (of_day,) = cli(*words, "--by", "day", "--last", "1d", "--model", "huge", "--json").json["usage"]
    assert (of_day["cost"], of_day["input_tokens"]) == ("0.0125", 1_000)
    assert "day, agent, model, run, and not by 'colour'" in cli(*words, "--by", "colour").err
    assert "There are more than these 1" in cli(*words, "--limit", "1").out
    assert [cli(*words, *few, "--json").json["more"] for few in (("-n", "1"), ())] == [True, False]
    assert cli(*words, "--agent", "nobody").out == "No model was called.\n"
    assert "start a projector first" in cli("costs", "-c", "spending", "--db", f"sqlite:///{tmp_path}/none.db").err

    shown = cli("show", "-c", "spending", "huge", "-s", store).out
    assert "used $0.0125 · 2 calls of models, 1,025 tokens · the price of 1 is not known" in shown
    usage = cli("show", "-c", "spending", "huge", "-s", store, "--json").json["usage"]
    assert (usage["calls"], usage["cost"], usage["unpriced"]) == (2, "0.0125", 1)
