"""What a framework goes on from after a question grows with its history: it is kept beside the log, where there is a store."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from pydantic_ai import Agent, Tool

from farandole.agents import Call, Folder, Large, scripted
from farandole.agents.frameworks import Adapted
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
