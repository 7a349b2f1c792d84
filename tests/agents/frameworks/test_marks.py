"""What agents of other frameworks are told and say bears the marks of what they take and give, wherever it stands."""

import json
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, SecretStr
from pydantic_ai import Agent
from tests.agents.frameworks.journal import Journal

from farandole.agents import Approval, Call, scripted
from farandole.agents.frameworks import Adapted, durably
from farandole.agents.frameworks.pydantic_ai import Durability, adapt
from farandole.agents.frameworks.recording import recording
from farandole.reactors import Choreography
from farandole.schemas import End, EventTypes, Mark, Marked, Personal, Secret, Start
from farandole.testing import Scenario


class Asked(Start):
    question: str


class AskedPersonally(Start):
    illness: Annotated[str, Personal]


class Answered(End):
    text: str


class Decoded(End):
    key: SecretStr
    door: str


class Found(BaseModel):
    key: SecretStr
    door: str


async def look_up() -> str:
    return "found"


def adapted(takes: Any, gives: Any, agent: Agent[Any, Any] | None = None) -> Adapted:
    agent = agent or Agent(scripted("x"), name="helper", tools=[look_up], capabilities=[Durability()])
    return adapt("helper", agent, takes=takes, gives=gives, approval=Approval())


@pytest.mark.parametrize(
    ("takes", "gives", "mark"),
    [(AskedPersonally, Answered, Personal), (Asked, Decoded, Secret), (Asked, Answered, None)],
)
def test_all_that_is_said_bears_the_mark(takes: Any, gives: Any, mark: Mark | None) -> None:
    events = adapted(takes, gives).events
    own = [
        events.ModelRequested,
        events.ModelReplied,
        events.ToolProposed,
        events.ToolReturned,
        *events.called.values(),
    ]
    marked = Marked(schema for _, _, schema in EventTypes("desk", own).schemas())
    spoken = {"parts", "instructions", "about", "message", "args", "content", "output", "state"}
    for each in (Personal, Secret):
        assert {name for _, name in marked.fields(each)} == (spoken if each is mark else set())


@pytest.mark.parametrize("secret", [False, True])
async def test_the_record_of_a_call_says_whether_it_is_secret(secret: bool) -> None:
    agent = Agent(scripted(Call("look_up"), "x"), name="helper", tools=[look_up], capabilities=[Durability()])
    journal = Journal()
    with durably(journal.step(), secret=secret):
        await agent.run("The key?")
    assert len(journal.recorded) == 3
    assert all(json.loads(each)["secret"] is secret for each in journal.recorded.values())


async def test_what_a_secret_agent_calls_is_recorded_as_secret() -> None:
    found = []

    async def look_up() -> str:
        recorder = recording()
        assert recorder is not None
        found.append(recorder.secret)
        return "found"

    for takes, gives in ((Asked, Answered), (AskedPersonally, Answered), (Asked, Decoded)):
        script = scripted(Call("look_up"), Decoded(key=SecretStr("7"), door="x") if gives is Decoded else "x")
        agent = Agent(script, name="helper", tools=[look_up], output_type=str, capabilities=[Durability()])
        desk = Choreography("desk")
        adapted(takes, gives, agent).serve(desk)
        async with Scenario(desk) as s:
            await s.when(AskedPersonally(illness="gout") if takes is AskedPersonally else Asked(question="?"))
    assert found == [False, False, True]


async def test_a_secret_in_what_it_gives_stays_what_it_was() -> None:
    agent = Agent(
        scripted(Call("final_result", key="4711", door="north")),
        name="helper",
        output_type=Found,
        capabilities=[Durability()],
    )
    desk = Choreography("desk")
    adapted(Asked, Decoded, agent).serve(desk)
    async with Scenario(desk) as s:
        await s.when(Asked(question="The key?"))
        assert s.failures() == []
        (given,) = [event for event in s.history if isinstance(event, Decoded)]
        assert (given.key.get_secret_value(), given.door) == ("4711", "north")
