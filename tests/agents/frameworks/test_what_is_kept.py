"""What is large is kept beside the log where there is a store: what a framework goes on from, what was said, what tools returned."""

from collections.abc import Awaitable, Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import HumanMessage
from langchain_core.tools import tool
from pydantic_ai import Agent, Tool
from tests.agents.frameworks.journal import Journal

from agents import Agent as OpenAIAgent
from agents import RunConfig, Runner, function_tool
from farandole.agents import Call, Folder, Large, scripted
from farandole.agents.errors import ContentLost
from farandole.agents.frameworks import (
    Adapted,
    call_key,
    durably,
    langchain,
    langchain_scripted,
    openai_agents,
    openai_scripted,
)
from farandole.agents.frameworks.pydantic_ai import Durability, adapt
from farandole.reactors import Choreography
from farandole.schemas import End, Start
from farandole.testing import Scenario

QUESTIONS = 5
PAGE = "x" * 20_000


class Asked(Start):
    question: str


class Answered(End):
    text: str


async def page(number: int) -> str:
    return PAGE


def reader(**more: Any) -> Adapted:
    script = scripted(*[Call("page", number=n) for n in range(QUESTIONS)], "Read.")
    tools = [Tool(page, requires_approval=True)]
    agent = Agent(script, name="reader", tools=tools, capabilities=[Durability()])
    return adapt("reader", agent, takes=Asked, gives=Answered, **more)


async def questions(agent: Adapted) -> list[Any]:
    """The questions of a run in which each is answered."""
    desk = Choreography("desk")
    agent.serve(desk)
    async with Scenario(desk) as s:
        await s.when(Asked(question="What is in it?"))
        for _ in range(QUESTIONS):
            await s.when(agent.events.ToolApproved(by="ann"))
        assert s.failures() == []
        s.then(Answered(text="Read."))
        return [event for event in s.history if isinstance(event, agent.events.ToolProposed)]


async def test_without_a_store_each_question_holds_all_that_was_said_before() -> None:
    sizes = [len(asked.model_dump_json()) for asked in await questions(reader())]
    growth = [after - before for before, after in pairwise(sizes)]
    assert len(sizes) == QUESTIONS
    assert all(len(PAGE) < each < len(PAGE) + 2_000 for each in growth)


async def test_with_a_store_no_question_grows(tmp_path: Path) -> None:
    asked = await questions(reader(large=Large(Folder(tmp_path), above="4 KB")))
    assert len(asked) == QUESTIONS
    assert all(len(each.model_dump_json()) < 4_500 for each in asked)
    assert [each.state_kept is not None for each in asked] == [False] + [True] * (QUESTIONS - 1)
    assert asked[-1].state is None


async def test_a_state_that_is_gone_parks_the_leg_and_says_so(tmp_path: Path) -> None:
    agent = reader(large=Large(Folder(tmp_path), above="1 KB"))
    desk = Choreography("desk")
    agent.serve(desk)
    async with Scenario(desk) as s:
        await s.when(Asked(question="What is in it? " * 100))
        for file in [file for file in tmp_path.rglob("*") if file.is_file()]:
            file.unlink()
        await s.when(agent.events.ToolApproved(by="ann"))
        s.owes("reader.turn")
        (failure,) = s.failures()
        assert (failure.error, failure.last) == ("ContentLost", True)


async def test_without_a_store_what_the_log_does_not_take_parks_the_leg_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(f"{__name__}.PAGE", "x" * 900_000)
    desk, agent = Choreography("desk"), reader()
    agent.serve(desk)
    async with Scenario(desk) as s:
        await s.when(Asked(question="What is in it?"))
        for _ in range(QUESTIONS):
            await s.when(agent.events.ToolApproved(by="ann"))
            if s.failures():
                break
        s.owes("reader.turn")
        (failure,) = s.failures()
        assert failure.last
        assert "large" in failure.message


BOOK = "It was a dark and stormy night. " * 10_000


async def read_book(title: str) -> str:
    """The whole of a book."""
    return BOOK


def in_pydantic_ai() -> Callable[[], Awaitable[Any]]:
    agent = Agent(
        scripted(Call("read_book", title="x"), BOOK), name="reader", tools=[read_book], capabilities=[Durability()]
    )

    async def run() -> str:
        return (await agent.run("Read x.")).output

    return run


def in_openai_agents() -> Callable[[], Awaitable[Any]]:
    model = openai_scripted.ScriptedModel(Call("read_book", title="x"), BOOK)
    agent = openai_agents.durable(OpenAIAgent("reader", model=model, tools=[function_tool(read_book)]))

    async def run() -> Any:
        return (await Runner.run(agent, "Read x.", run_config=RunConfig(tracing_disabled=True))).final_output

    return run


def in_langchain() -> Callable[[], Awaitable[Any]]:
    model = langchain_scripted.ScriptedModel(Call("read_book", title="x"), BOOK)
    agent: Any = create_agent(model, [tool(read_book)], middleware=[langchain.Durable()])

    async def run() -> Any:
        return (await agent.ainvoke({"messages": [HumanMessage("Read x.")]}))["messages"][-1].text

    return run


@pytest.mark.parametrize("made", [in_pydantic_ai, in_openai_agents, in_langchain])
async def test_what_a_tool_returned_and_a_model_replied_is_a_reference_in_the_record_and_the_same_when_it_is_found(
    made: Callable[[], Callable[[], Awaitable[Any]]], tmp_path: Path
) -> None:
    journal, run = Journal(), made()
    told: list[Any] = []
    for attempt in (1, 2):
        with durably(journal.step(attempt), large=Large(Folder(tmp_path))) as recorder:
            assert await run() == BOOK
        told.append([each.response and each.response.parts for each in recorder.told])
    assert told[0] == told[1]
    assert len(journal.recorded) == 3
    assert all(len(record) < 4_000 for record in journal.recorded.values())
    with pytest.raises(ContentLost, match="no large= any longer"), durably(journal.step(3)):
        await run()


async def test_an_adapted_agents_prompt_and_what_its_tools_returned_are_references_in_its_events(
    tmp_path: Path,
) -> None:
    script = scripted(Call("read_book", title="x"), "Read.")
    agent = Agent(script, name="reader", tools=[read_book], capabilities=[Durability()])
    reader, desk = (
        adapt("reader", agent, takes=Asked, gives=Answered, large=Large(Folder(tmp_path))),
        Choreography("desk"),
    )
    reader.serve(desk)
    async with Scenario(desk) as s:
        await s.when(Asked(question=BOOK))
        s.then(Answered(text="Read."))
        asked = next(event for event in s.history if isinstance(event, reader.events.ModelRequested))
        returned = s.last(reader.events.ToolReturned)
    assert returned.kept is not None
    assert (returned.kept.bytes, returned.content[:13]) == (len(BOOK), "It was a dark")
    assert Large(Folder(tmp_path)).read(returned.kept) == BOOK
    assert all(len(event.model_dump_json()) < 4_000 for event in (asked, returned))


async def test_what_cannot_be_kept_parks_the_leg_and_says_that_the_call_took_effect(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("farandole.agents.keeping.AGAIN", (0, 0))
    keys: list[str] = []

    async def pay(order: str) -> str:
        keys.append(call_key())
        return BOOK

    class Full(Folder):
        def put(self, reference: str, content: bytes) -> None:
            if len(keys) == 1:
                raise OSError(28, "no space left on device")
            super().put(reference, content)

    agent = Agent(scripted(Call("pay", order="7"), "Paid."), name="payer", tools=[pay], capabilities=[Durability()])
    payer, desk = adapt("payer", agent, takes=Asked, gives=Answered, large=Large(Full(tmp_path))), Choreography("desk")
    payer.serve(desk)
    async with Scenario(desk) as s:
        await s.when(Asked(question="Pay 7."))
        (failure,) = s.failures()
        assert (failure.error, failure.last) == ("CallNotKept", True)
        assert "what pay returned, which took effect, could not be kept" in failure.message
        await s.retry()
        s.then(Answered(text="Paid."))
    assert len(keys) == 2
    assert len(set(keys)) == 1
