"""What runs used of models and what it cost, in the tables: exact, by day, agent, model and run, and as the log says."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from itertools import count
from typing import Annotated

import pytest
from tests.projections.runs.projecting import until

from farandole.eventstore import EventStore, connect
from farandole.projections import Runs
from farandole.projections.runs import Pace, Projector, RunTables, rebuild, retire, verify
from farandole.projections.runs.query import UnknownGrouping, UsageRow
from farandole.projections.sql import Database
from farandole.reactors import Child, ChildDone, Choreography, Client, Step
from farandole.schemas import End, Event, Start, Usage, Used

_numbers = count(1)


class Asked(Start):
    parts: int = 0
    child: bool = False


class Replied(Event):
    """Says what was used in fields of its own."""

    agent: Annotated[str, Used.agent]
    model: Annotated[str, Used.model]
    tokens_in: Annotated[int, Used.input_tokens]
    tokens_out: Annotated[int, Used.output_tokens] = 0
    cost: Annotated[Decimal | None, Used.cost] = None


class Part(Event):
    usage: list[Usage]


class Checked(Start): ...


class Clean(End):
    usage: Usage


class Done(End): ...


CHEAP = Decimal("0.000000037500")
"""Less than a binary float, or a millionth of a dollar, would say exactly."""


def a_desk() -> Choreography:
    desk = Choreography(f"paying{next(_numbers)}")

    @desk.reactor
    async def ask(asked: Asked) -> Replied | list[Part] | Child[Checked]:
        if asked.child:
            return Child(Checked())
        if asked.parts:
            return [Part(usage=[Usage(model="small", cost=CHEAP), Usage(model="large")]) for _ in range(asked.parts)]
        return Replied(agent="helper", model="large", tokens_in=100, tokens_out=7, cost=Decimal("0.1"))

    @desk.reactor
    async def sub_step(replied: Replied, step: Step) -> Done:
        async def embed() -> tuple[str, Usage]:
            return "x", Usage(model="embedder", input_tokens=11, cost=Decimal("0.2"))

        await step.once("embed", embed)
        return Done()

    @desk.reactor(each=Part)
    async def gather(parts: list[Part]) -> Done:
        return Done()

    @desk.reactor
    async def check(checked: Checked) -> Clean:
        return Clean(usage=Usage(model="large", agent="checker", calls=3, cost=Decimal("0.3")))

    @desk.reactor
    async def heard(done: ChildDone[Clean]) -> Done:
        return Done()

    return desk


@asynccontextmanager
async def at_the_desk(database: Database) -> AsyncIterator[tuple[Client, Runs, EventStore]]:
    desk = a_desk()
    url = f"memory://{desk.name}"
    async with desk.work(url, partitions=3) as client, await connect(url, desk.name, create=False) as store:
        projector = Projector(store, database, desk.name, pace=Pace(wait=0.02))
        task = asyncio.create_task(projector.run())
        try:
            await until(lambda: len(projector.places) == 3)
            yield client, Runs(database, desk.name, patience=30), store
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await projector.close()
        assert (await verify(store, database, desk.name)).differences == ()


async def all_there(store: EventStore) -> dict[int, int]:
    return {p: end.next for p, end in (await store.ends(range(3))).items()}


def said(rows: tuple[UsageRow, ...]) -> dict[tuple[str | None, str | None], tuple[int, int, Decimal, int]]:
    return {(row.agent, row.model): (row.calls, row.input_tokens, row.cost, row.unpriced) for row in rows}


async def test_what_was_used_is_summed_up_exactly_whoever_says_it_and_how(database: Database) -> None:
    async with at_the_desk(database) as (client, runs, store):
        for run_id, asked in {"r": Asked(), "many": Asked(parts=4), "parent": Asked(child=True)}.items():
            await (await client.start(asked, run_id=run_id)).result(Done)
        there = await all_there(store)
        assert said((await runs.usage(min_position=there)).found) == {
            ("helper", "large"): (1, 100, Decimal("0.1"), 0),
            ("sub_step", "embedder"): (1, 11, Decimal("0.2"), 0),
            ("ask", "small"): (4, 0, CHEAP * 4, 0),
            ("ask", "large"): (4, 0, Decimal(0), 4),
            ("checker", "large"): (3, 0, Decimal("0.3"), 0),
        }
        (everything,) = (await runs.usage(by=())).found
        assert (everything.cost, everything.calls, everything.unpriced) == (Decimal("0.6") + CHEAP * 4, 13, 4)
        (of_run,) = (await runs.usage(by=["run"], run_id="r")).found
        assert (of_run.run_id, of_run.cost, of_run.output_tokens) == ("r", Decimal("0.3"), 7)
        assert (await runs.usage(by=(), run_id="parent")).found == ()
        (family,) = (await runs.usage(by=(), run_id="parent", children=True)).found
        assert (family.cost, family.calls) == (Decimal("0.3"), 3)
        assert {row.run_id for row in (await runs.usage(by=["run"])).found} > {"r", "many"}
        assert said((await runs.usage(agent="ask", model="small")).found).keys() == {("ask", "small")}
        (day,) = (await runs.usage(by=["day"])).found
        assert day.day is not None
        assert day.day % 86_400_000 == 0
        assert day.day <= day.first <= day.last < day.day + 86_400_000
        assert (await runs.usage(since=day.last + 1)).found == ()
        assert (await runs.usage(upto=day.first)).found == ()
        with pytest.raises(UnknownGrouping, match="'colour'"):
            await runs.usage(by=["colour"])  # type: ignore[list-item]


async def test_the_log_makes_the_same_rows_again_and_retention_takes_them_out(database: Database) -> None:
    async with at_the_desk(database) as (client, runs, store):
        for number in range(3):
            await (await client.start(Asked(parts=number), run_id=f"r{number}")).result(Done)
        before = (await runs.usage(by=("agent", "model", "run"), min_position=await all_there(store))).found
        assert len(before) == 6
        await rebuild(store, database, client.scribe.choreography)
        assert (await runs.usage(by=("agent", "model", "run"))).found == before
        while (await runs.counts()).found.get("completed") != 3:
            await asyncio.sleep(0.01)
        over = {partition: at + 1 for partition, at in (await runs.freshness()).log_times.items()}
        await asyncio.to_thread(retire, RunTables(database, client.scribe.choreography), over)
        assert (await runs.usage()).found == ()
