"""Runs that workers did, in the tables: what they say is what the client says of the same runs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Annotated

from tests.projections.runs.projecting import until

from farandole.eventstore import connect
from farandole.projections import Runs
from farandole.projections.runs import Pace, Projector, verify
from farandole.projections.runs.query import Where
from farandole.projections.sql import Database
from farandole.reactors import After, Ask, Child, ChildDone, Choreography, Client, GiveUp
from farandole.schemas import Answer, End, Event, Personal, Search, Secret, Start

_numbers = count(1)


class Applied(Start):
    customer: Annotated[str, Search]
    street: Annotated[str, Personal] = "Elm Street"
    token: Annotated[str, Secret] = "hush-hush"
    wish: str = ""


class Granted(Answer): ...


class Refused(Answer):
    reason: str = ""


class Reminded(Event): ...


class Checked(Start):
    customer: str


class Clean(End): ...


class Closed(End):
    said: Annotated[str, Search] = ""


def a_desk() -> Choreography:
    """Applications that are asked about, break, wait for a child, or go well."""
    desk = Choreography(f"desk{next(_numbers)}")

    @desk.reactor
    async def handle(
        applied: Applied,
    ) -> Closed | Ask[Granted | Refused] | After[Reminded] | list[Child[Checked]] | None:
        match applied.wish:
            case "ask":
                return Ask("Grant it?", Granted, Refused, to=["role:clerk"])
            case "break":
                raise GiveUp("the drawer is stuck")
            case "later":
                return After("1h", Reminded())
            case "check":
                return [Child(Checked(customer=f"{applied.customer}-{n}")) for n in range(3)]
        return Closed(said="well")

    @desk.reactor
    async def check(checked: Checked) -> Clean:
        return Clean()

    @desk.reactor(each=Checked)
    async def gather(done: list[ChildDone[Clean]]) -> Closed:
        return Closed(said=f"checked {len(done)}")

    @desk.reactor
    async def grant(granted: Granted) -> Closed:
        return Closed(said="granted")

    @desk.reactor
    async def refuse(refused: Refused) -> Closed:
        return Closed(said=refused.reason)

    @desk.reactor
    async def remind(reminded: Reminded) -> None: ...

    return desk


@asynccontextmanager
async def at_the_desk(database: Database) -> AsyncIterator[tuple[Client, Runs]]:
    """A worker, a projector, and who asks."""
    desk = a_desk()
    url = f"memory://{desk.name}"
    async with desk.work(url, partitions=3) as client, await connect(url, desk.name, create=False) as store:
        projector = Projector(store, database, desk.name, pace=Pace(wait=0.02))
        task = asyncio.create_task(projector.run())
        try:
            await until(lambda: len(projector.places) == 3)
            yield client, Runs(database, desk.name, patience=30)
            ends = await store.ends(range(3))
            await Runs(database, desk.name, patience=30).freshness(min_position={p: e.next for p, e in ends.items()})
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await projector.close()
        assert (await verify(store, database, desk.name)).differences == ()


WISHES = ("", "ask", "break", "later", "check")


async def test_the_tables_say_of_runs_what_the_client_says(database: Database) -> None:
    async with at_the_desk(database) as (client, runs):
        for wish in WISHES:
            await client.start(Applied(customer=f"c-{wish}", wish=wish), run_id=f"r-{wish}")
        await client.run("r-").result(Closed)
        await client.run("r-check").result(Closed)
        expected = {
            "r-": "completed",
            "r-ask": "waiting",
            "r-break": "failed",
            "r-later": "waiting",
            "r-check": "completed",
        }

        async def statuses() -> dict[str, str]:
            return {run.run_id: run.status for run in (await runs.list(Where(id="r-"))).found}

        while await statuses() != expected:
            await asyncio.sleep(0.01)
        for run_id, status in expected.items():
            said = await client.run(run_id).status()
            row = (await runs.get(run_id)).found
            assert row is not None
            assert (row.status, row.parked, row.timers) == (
                status,
                sum(bool(s.parked) for s in said.owed),
                len(said.timers),
            )
            assert (row.decisions, row.children) == (len(said.decisions), len(said.children))
        assert (await runs.counts()).found["completed"] == 5
        children = (await runs.children("r-check")).found
        assert [child.state for child in children] == ["ended"] * 3
        for child in children:
            found = (await runs.get(child.child)).found
            assert found is not None
            assert found.parent == "r-check"


async def test_a_question_is_found_by_who_is_asked_until_it_is_answered(database: Database) -> None:
    async with at_the_desk(database) as (client, runs):
        await client.start(Applied(customer="ann", wish="ask"), run_id="r")
        while not (asked := (await runs.decisions(to=["role:clerk"])).found):
            await asyncio.sleep(0.01)
        assert (asked[0].run_id, asked[0].question, asked[0].asked_of) == ("r", "Grant it?", ["role:clerk"])
        assert [name.rpartition(".")[2] for name in asked[0].answers] == ["Granted", "Refused"]
        assert (await runs.decisions(to=["role:boss"])).found == ()
        await client.run("r").decide(asked[0].id, Refused(reason="dull"), by="bob")
        await client.run("r").result(Closed)
        while (await runs.decisions()).found:
            await asyncio.sleep(0.01)
        (done,) = (await runs.decisions(state=["answered"])).found
        assert done.votes == [{"by": "bob", "answer": done.answer}]
        answered = [r for r in (await runs.history("r")).found if r.kind == "answer"]
        assert [r.by for r in answered] == ["bob"]


async def test_values_are_read_searched_and_kept_from_those_who_may_not_see_them(database: Database) -> None:
    async with at_the_desk(database) as (client, runs):
        await client.start(Applied(customer="ann", wish="a rare pen"), run_id="r")
        await client.run("r").result(Closed)
        while not (found := (await runs.list(Where(attributes={"customer": "ann", "said": "well"}))).found):
            await asyncio.sleep(0.01)
        assert [run.run_id for run in found] == ["r"]
        assert [run.run_id for run in (await runs.list(Where(text="rare pen"))).found] == ["r"]
        assert (await runs.list(Where(text="Elm"))).found == ()
        plain, whole = (await runs.history("r")).found[0], (await runs.history("r", personal=True)).found[0]
        assert (plain.payload["customer"], plain.payload["street"], plain.payload["token"]) == ("ann", None, None)
        assert (whole.payload["street"], whole.payload["token"]) == ("Elm Street", None)
        with database.reading() as connection:
            everything = str(connection.exec_driver_sql("SELECT * FROM records").fetchall())
        assert "hush-hush" not in everything


async def test_a_failure_is_found_by_its_cause_until_its_step_is_retried(database: Database) -> None:
    async with at_the_desk(database) as (client, runs):
        for n in range(3):
            await client.start(Applied(customer="ann", wish="break"), run_id=f"r-{n}")
        while len(found := (await runs.list(Where(status=["failed"]))).found) < 3:
            await asyncio.sleep(0.01)
        assert found[0].error.endswith("GiveUp")
        (cause,) = (await runs.causes()).found
        assert (cause.reactor, cause.parked, cause.runs, cause.message) == ("handle", 3, 3, "the drawer is stuck")
        assert len((await runs.list(Where(fingerprint=cause.fingerprint[:8], reactor="handle"))).found) == 3
        await client.run("r-0").cancel("enough")
        while (await runs.causes()).found[0].parked == 3:
            await asyncio.sleep(0.01)
        run = (await runs.get("r-0")).found
        assert run is not None
        assert (run.status, run.error) == ("cancelled", "")
