"""What an agent called looks alike on a run's timeline, whichever framework it is authored in."""

import asyncio
from pathlib import Path

import pytest
from examples.agents.four_ways import FOUR, Answered, Asked

from farandole.dashboard.pages.timeline import timeline
from farandole.eventstore import connect
from farandole.projections.runs import Database, Pace, Projector, schema_of
from farandole.projections.runs.query import Runs
from farandole.reactors import Choreography


@pytest.mark.parametrize("desk", FOUR, ids=lambda desk: desk.name)
async def test_calls_of_models_and_tools_and_the_question_are_rows_of_one_name(
    desk: Choreography, tmp_path: Path
) -> None:
    agent, url = FOUR[desk], f"memory://timeline-{desk.name}"
    database = Database(f"sqlite:///{tmp_path / 'runs.db'}", schema_of(desk.name))
    async with desk.work(url, partitions=1) as client, await connect(url, desk.name, create=False) as store:
        projector = Projector(store, database, desk.name, pace=Pace(wait=0.02))
        task = asyncio.create_task(projector.run())
        try:
            async with asyncio.timeout(30):
                while not projector.places:  # the tables are being made
                    await asyncio.sleep(0.01)
            run = await client.start(Asked(question="Where is order 7?"))
            decision = await run.decision(agent.events.ToolApproved, timeout="60s")
            await run.decide(decision, agent.events.ToolApproved(), by="ann")
            await run.result(Answered, timeout="60s")
            names = await names_once_closed(Runs(database, desk.name, patience=20), run.id)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await projector.close()
            database.close()
    told = [name for name in names if name in ("helper.model", "May helper call refund?") or ".tools." in name]
    assert told == [
        "helper.model",
        "helper.tools.look_up",
        "helper.model",
        "May helper call refund?",
        "helper.tools.refund",
        "helper.model",
    ]


async def names_once_closed(runs: Runs, id: str) -> list[str]:
    """The rows of the timeline, the oldest first."""
    async with asyncio.timeout(60):
        while (row := (await runs.get(id)).found) is None or row.closed is None:
            await asyncio.sleep(0.02)
    found = timeline(
        row,
        (await runs.steps(id)).found,
        (await runs.history(id, everything=True)).found,
        (await runs.failures(id)).found,
        (await runs.timers(id)).found,
        (await runs.decisions(run_id=id, state=())).found,
        (await runs.children(id)).found,
        row.closed,
    )
    return [line.name for line in found.lines]
