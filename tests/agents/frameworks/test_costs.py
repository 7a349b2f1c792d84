"""What models used under `durably` is in the costs, once for each call that ended, whatever became of the step."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from pydantic_ai import Agent, Tool
from tests.agents.frameworks.journal import Journal

from farandole.agents import Call, scripted
from farandole.agents.frameworks import Adapted, durably
from farandole.agents.frameworks.pydantic_ai import Durability, adapt
from farandole.agents.frameworks.recording import Recorder
from farandole.eventstore import EventStore, connect
from farandole.projections import Runs
from farandole.projections.runs import Pace, Projector
from farandole.projections.sql import Database
from farandole.reactors import Choreography, Client, GiveUp, RunHandle
from farandole.schemas import End, Start
from farandole.schemas.usage import usage_in_json

_numbers = count(1)
CENT = Decimal("0.01")


class Asked(Start):
    question: str


class Answered(End):
    text: str


async def test_a_call_that_no_event_tells_of_counts_by_its_sub_step() -> None:
    agent = Agent(scripted("Well."), name="helper", capabilities=[Durability()])
    journal = Journal()
    for attempt in (1, 2):
        with durably(journal.step(attempt), price=lambda reply: Decimal("0.01")):
            await agent.run("How are you?")
    (used,) = usage_in_json(journal.recorded["model 1"].decode())
    assert (used.model, used.calls, used.cost) == ("scripted", 1, Decimal("0.01"))
    assert used.input_tokens > 0


def a_helper(*tools: Tool) -> Adapted:
    """It calls each of its tools once and then answers, at a cent a reply."""
    script = scripted(*(Call(tool.name) for tool in tools), "Well.")
    agent = Agent(script, name="helper", tools=tools, capabilities=[Durability()])
    return adapt("helper", agent, takes=Asked, gives=Answered, price=lambda reply: CENT)


@asynccontextmanager
async def at_the_desk(tmp_path: Path, helper: Adapted) -> AsyncIterator[tuple[Client, Runs, EventStore]]:
    desk = Choreography(f"desk{next(_numbers)}")
    helper.serve(desk)
    url, database = f"memory://{desk.name}", Database(f"sqlite:///{tmp_path}/runs.db", desk.name)
    async with desk.work(url, partitions=1) as client, await connect(url, desk.name, create=False) as store:
        projector = Projector(store, database, desk.name, pace=Pace(wait=0.02))
        task = asyncio.create_task(projector.run())
        try:
            async with asyncio.timeout(10):
                while not projector.places:
                    await asyncio.sleep(0.01)
            yield client, Runs(database, desk.name, patience=30), store
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await projector.close()


async def until(run: RunHandle, status: str) -> None:
    async with asyncio.timeout(10):
        while (await run.status()).status != status:
            await asyncio.sleep(0.01)


async def spent(runs: Runs, store: EventStore) -> tuple[str | None, int, Decimal]:
    """Who spent it, calls, and what they cost."""
    there = {p: end.next for p, end in (await store.ends([0])).items()}
    (row,) = (await runs.usage(by=["agent"], min_position=there)).found
    return row.agent, row.calls, row.cost


async def test_an_adapted_agents_calls_count_once_though_events_tell_of_them_too(tmp_path: Path) -> None:
    async def look_up() -> str:
        return "found"

    helper = a_helper(Tool(look_up, requires_approval=True))
    async with at_the_desk(tmp_path, helper) as (client, runs, store):
        run = await client.start(Asked(question="How are you?"))
        approved = helper.events.ToolApproved
        decision = await run.decision(approved, timeout="10s")
        assert await spent(runs, store) == ("helper", 1, CENT)
        await run.decide(decision, approved(), by="ann")
        await run.result(Answered, timeout="10s")
        assert await spent(runs, store) == ("helper", 2, 2 * CENT)


async def test_a_leg_that_parks_has_spent_what_its_calls_cost_and_they_count_no_second_time_when_it_goes_on(
    tmp_path: Path,
) -> None:
    mended = asyncio.Event()

    async def look_up() -> str:
        if not mended.is_set():
            raise GiveUp("the desk is closed")
        return "found"

    async with at_the_desk(tmp_path, a_helper(Tool(look_up))) as (client, runs, store):
        run = await client.start(Asked(question="How are you?"))
        await until(run, "failed")
        assert await spent(runs, store) == ("helper", 1, CENT)
        mended.set()
        await run.retry("the desk is open", by="ann")
        await run.result(Answered, timeout="10s")
        assert await spent(runs, store) == ("helper", 2, 2 * CENT)


async def test_a_leg_that_is_cancelled_has_spent_what_its_calls_cost(tmp_path: Path) -> None:
    began = asyncio.Event()

    async def look_up() -> str:
        began.set()
        await asyncio.Event().wait()
        return "never"

    async with at_the_desk(tmp_path, a_helper(Tool(look_up))) as (client, runs, store):
        run = await client.start(Asked(question="How are you?"))
        await asyncio.wait_for(began.wait(), 10)
        await run.cancel("no more", by="ann")
        await until(run, "cancelled")
        assert await spent(runs, store) == ("helper", 1, CENT)


async def test_calls_that_a_worker_of_an_earlier_release_recorded_count_by_their_events(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Recorder._billed

    def uncounted(recorder: Recorder, *args: Any) -> Any:
        return made(recorder, *args).model_copy(update={"used": None})

    monkeypatch.setattr(Recorder, "_billed", uncounted)
    async with at_the_desk(tmp_path, a_helper()) as (client, runs, store):
        await (await client.start(Asked(question="How are you?"))).result(Answered, timeout="10s")
        assert await spent(runs, store) == ("helper", 1, CENT)


async def test_a_handler_whose_events_tell_it_turns_it_off() -> None:
    agent = Agent(scripted("Well."), name="helper", capabilities=[Durability()])
    journal = Journal()
    with durably(journal.step(), counts=False):
        await agent.run("How are you?")
    assert usage_in_json(journal.recorded["model 1"].decode()) == ()
