"""What an agent remembers across runs: from the log, at once, of nobody else, and the same wherever it is kept."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_ai.messages import ModelMessage

from farandole.agents import Agent, Call, Remembering, scripted
from farandole.agents.scripted import Said
from farandole.eventstore import connect
from farandole.projections import Fact, Forget, Memory, Recorded, Remembered, on
from farandole.projections.custom import Log, types_of
from farandole.projections.custom.projector import Pace, ProjectionProjector
from farandole.projections.custom.verifying import verify_projection
from farandole.projections.remembering import open_memories
from farandole.projections.runs.tablespace import schema_of
from farandole.projections.sql import Database
from farandole.reactors import Choreography
from farandole.schemas import DeclarationError, End, Event, Start
from farandole.testing import Scenario


class Asked(Start):
    customer: str
    question: str


class Answered(End):
    text: str


class Refunded(Event, wants_reactor=False):
    customer: str
    amount: int


class ErasureAsked(Start):
    customer: str
    fact: str = ""


class Erased(End):
    customer: str
    fact: str = ""


class Customers(Memory):
    """What the desk knows of a customer."""

    @on
    def refunded(self, refunded: Recorded[Refunded]) -> Fact:
        return Fact(about=refunded.event.customer, text=f"was paid back {refunded.event.amount}")

    @on
    def erased(self, erased: Recorded[Erased]) -> Forget:
        return Forget(about=erased.event.customer, fact=erased.event.fact)


def first(messages: list[ModelMessage]) -> str:
    """All that the model was told first."""
    return "\n".join(str(part.content) for part in messages[0].parts)  # type: ignore[union-attr]


def returned(messages: list[ModelMessage]) -> str:
    return str(messages[-1].parts[0].content)  # type: ignore[union-attr]


def a_desk(*script: object, db: str | None = None, name: str = "desk") -> tuple[Choreography, Agent, list[str]]:
    """A desk whose agent remembers, what it is told first of all, and what its recalls give."""
    heard: list[str] = []

    def hear(messages: list[ModelMessage]) -> Said:
        heard.append(first(messages) if len(messages) == 1 else returned(messages))
        said = script[min(len(messages) // 2, len(script) - 1)]
        return said  # type: ignore[return-value]

    desk = Choreography(name)
    agent = Agent(
        "helper",
        takes=Asked,
        gives=Answered,
        model=scripted(hear),
        prompt=lambda asked: asked.question,
        memory=Remembering(memory=Customers, about=lambda asked: asked.customer, db=db),
    )
    agent.serve(desk)

    @desk.reactor
    async def refund(asked: Asked) -> Refunded | None:
        return Refunded(customer=asked.customer, amount=7) if asked.question == "refund" else None

    @desk.reactor
    async def erase(asked: ErasureAsked) -> Erased:
        return Erased(customer=asked.customer, fact=asked.fact)

    return desk, agent, heard


REMEMBERS = (Call("remember", fact="prefers letters to calls"), "Noted.")


async def test_a_run_knows_what_the_one_before_it_remembered() -> None:
    desk, agent, heard = a_desk(*REMEMBERS)
    async with Scenario(desk) as s:
        await s.run("one").when(Asked(customer="ann", question="Write, please."))
        remembered = s.run("one").last(Remembered)
        assert (remembered.memory, remembered.about, remembered.by) == ("Customers", "ann", "helper")
        await s.run("two").when(Asked(customer="ann", question="And now?"))
        await s.run("three").when(Asked(customer="ben", question="And me?"))
        requested = s.run("two").last(agent.events.ModelRequested)
        assert s.run("two").history
        opened = next(e for e in s.run("two").history if isinstance(e, agent.events.ModelRequested))
        assert opened.about == "ann"
        assert "prefers letters to calls" in str(opened.parts), requested
    ann, ben = heard[2], heard[4]
    assert ann.splitlines()[0] == "What you remember of ann from earlier conversations, the newest first:"
    assert ann.splitlines()[1].endswith(": prefers letters to calls")
    assert ann.splitlines()[2] == "And now?"
    assert ben == "And me?"


async def test_what_events_of_others_say_is_remembered_and_recalled_by_words() -> None:
    desk, agent, heard = a_desk(Call("recall", query="money paid?"), "You were.")
    async with Scenario(desk) as s:
        await s.run("one").when(Asked(customer="ann", question="refund"))
        await s.run("two").when(Asked(customer="ann", question="Was I paid back?"))
        s.run("two").then(Answered(text="You were."))
        assert s.run("one").last(agent.events.ToolReturned).content
    assert heard[-1].endswith(": was paid back 7']")


async def test_what_was_forgotten_is_gone_and_what_comes_afterwards_is_kept() -> None:
    desk, _, heard = a_desk("Well.")
    async with Scenario(desk) as s:
        await s.run("one").when(Asked(customer="ann", question="refund"))
        await s.passes("1s")
        await s.run("erasure").when(ErasureAsked(customer="ann"))
        await s.passes("1s")
        await s.run("two").when(Asked(customer="ann", question="What do you know?"))
        await s.run("three").when(Asked(customer="ann", question="refund"))
        await s.passes("1s")
        await s.run("four").when(Asked(customer="ann", question="And now?"))
        tables = await s.project(Customers)
        assert [row[0] for row in tables.rows("memory_customers")] == ["ann"]
    assert heard[1] == "What do you know?"
    assert heard[3].splitlines()[1].endswith("was paid back 7")


class Moved(Start):
    customer: str
    to: str


class Settled(End): ...


@pytest.mark.parametrize("turn", [1, -1], ids=["forgets, gives", "gives, forgets"])
async def test_an_event_that_forgets_and_gives_forgets_first_and_keeps_what_it_gives(turn: int) -> None:
    class Addresses(Memory):
        @on
        def moved(self, moved: Recorded[Moved]) -> list[Fact | Forget]:
            told = [Forget(moved.event.customer), Fact(moved.event.customer, f"lives in {moved.event.to}")]
            return told[::turn]

    moves = Choreography("moves")

    @moves.reactor
    async def settle(moved: Moved) -> Settled:
        return Settled()

    async with Scenario(moves) as s:
        for number, to in enumerate(("Aix", "Nice", "Arles")):
            await s.run(f"move-{number}").when(Moved(customer="ann", to=to))
            await s.passes("1s")
        tables = await s.project(Addresses)
        assert [row[2] for row in tables.rows("memory_addresses")] == ["lives in Arles"]

    held = Addresses.held()
    for number, to in enumerate(("Aix", "Nice")):
        each: list[Fact | Forget] = [Forget("ann"), Fact("ann", f"lives in {to}")]
        held.keep(each[::turn], Recorded(Settled(), "", datetime.fromtimestamp(number, UTC), "", number, f"e{number}"))
    assert [fact.text for fact in held.kept["ann"].values()] == ["lives in Nice"]


@given(st.permutations(range(4)))
def test_what_is_forgotten_in_one_millisecond_is_so_in_whatever_order(order: list[int]) -> None:
    told = [
        [Forget("ann"), Fact("ann", "a")],
        [Forget("ann"), Fact("ann", "b")],
        [Fact("ann", "c")],
        [Fact("ben", "d")],
    ]
    memory = Customers.held()
    for number in order:
        memory.keep(told[number], Recorded(Settled(), "", datetime.fromtimestamp(0, UTC), "", 0, f"e{number}"))
    assert {about: [fact.text for fact in facts.values()] for about, facts in memory.kept.items() if facts} == {
        "ben": ["d"]
    }


async def test_a_conversation_about_nobody_remembers_nothing() -> None:
    desk, agent, heard = a_desk(*REMEMBERS)
    async with Scenario(desk) as s:
        await s.run("one").when(Asked(customer="", question="Who am I?"))
        assert s.run("one").last(agent.events.ToolReturned).outcome == "failed"
        s.run("one").then_not(Remembered)
    assert heard[0] == "Who am I?"


@asynccontextmanager
async def kept(desk: Choreography, url: str, db: str) -> AsyncIterator[Database]:
    """A projector of the memory at work."""
    database = Database(db, schema_of(desk.name))
    async with await connect(url, desk.name, partitions=3) as store:
        ((name, types),) = types_of(Customers, [desk]).items()
        logs = [Log(name, store, types)]
        projector = ProjectionProjector(Customers, logs, database, pace=Pace(wait=0.02))
        task = asyncio.create_task(projector.run())
        try:
            yield database
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await projector.close()
        assert (await verify_projection(Customers, logs, database)).differences == ()
        rebuilt = ProjectionProjector(Customers, logs, database)
        await rebuilt.rebuild()
        await rebuilt.close()
        assert (await verify_projection(Customers, logs, database)).differences == ()
        async with open_memories(Customers, desk, store, db) as tabled, open_memories(Customers, desk, store) as held:
            assert await tabled.of("ann") == await held.of("ann") != ()
            assert await tabled.search("ann", "letter") == await held.search("ann", "letter")
    database.close()


async def test_tables_say_the_same_as_the_log_and_so_do_those_that_are_made_anew(
    database_url: str, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path}/log.db"
    desk, _, heard = a_desk(*REMEMBERS, db=database_url)
    async with kept(desk, url, database_url), desk.work(url, partitions=3) as client:
        for number in range(4):
            run = await client.start(Asked(customer="ann", question=f"Number {number}"), run_id=f"run-{number}")
            await run.result(Answered, timeout="60s")
            if number == 2:
                erasure = await client.start(ErasureAsked(customer="ann"), run_id="erasure")
                await erasure.result(Erased, timeout="60s")
    told = [len(text.splitlines()) - 1 for text in heard if "Number" in text]
    assert told == [0, 2, 3, 0]


@pytest.mark.kafka
@pytest.mark.parametrize("tabled", [False, True])
async def test_it_is_read_at_once_on_a_real_broker(kafka: str, tabled: bool, tmp_path: Path) -> None:
    db = f"sqlite:///{tmp_path}/memory.db"
    desk, _, heard = a_desk(*REMEMBERS, db=db if tabled else None, name=f"desk_{secrets.token_hex(4)}")
    async with (
        kept(desk, f"kafka://{kafka}", db),
        desk.work(f"kafka://{kafka}", partitions=3) as client,
    ):
        for number in range(3):
            run = await client.start(Asked(customer="ann", question=f"Number {number}"), run_id=f"run-{number}")
            await run.result(Answered, timeout="100s")
    assert [len(text.splitlines()) - 1 for text in heard if "Number" in text] == [0, 2, 3]


def test_a_memory_is_told_event_by_event() -> None:
    with pytest.raises(DeclarationError, match="event by event"):

        class Wrong(Memory):
            @on
            def refunded(self, refunded: list[Recorded[Refunded]]) -> None: ...


def test_a_tool_of_memory_is_no_tool_of_ones_own() -> None:
    async def recall(query: str) -> str:
        return query

    with pytest.raises(DeclarationError, match="two tools have one name"):
        Agent(
            "helper", takes=Asked, gives=Answered, model=scripted("x"), tools=[recall],
            memory=Remembering(memory=Customers, about=lambda asked: asked.customer),
        )  # fmt: skip
