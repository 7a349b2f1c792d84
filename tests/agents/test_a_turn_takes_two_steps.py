"""A turn with one call of a tool is two steps: the model's, and the tool's. What else happens in it stands in their outcomes."""

from collections.abc import Sequence

import pytest
from pydantic import field_validator

from farandole.agents import Agent, Approval, Call, Tool, scripted
from farandole.agents.scripted import Said
from farandole.reactors import Choreography
from farandole.reactors.graph import findings_in, graph_of
from farandole.schemas import End, Start
from farandole.testing import Scenario


class Asked(Start):
    question: str


class Answered(End):
    text: str


broken: list[str] = []


class Reported(End):
    """What the weather is."""

    city: str
    rain: bool = True

    @field_validator("city")
    @classmethod
    def known(cls, city: str) -> str:
        if broken:
            raise KeyError(broken.pop())  # no fault of the model's
        return city


async def weather(city: str) -> str:
    if city == "Atlantis":
        raise ConnectionError("under water")
    return f"rain in {city}"


async def told(agent: Agent) -> list[tuple[str, str]]:
    """What happens when the agent is asked: by whom, and which event."""
    desk = Choreography("desk")
    agent.serve(desk)
    assert list(findings_in(graph_of(desk))) == []
    async with desk.work("memory://") as client:
        run = await client.start(Asked(question="Weather?"))
        if agent.tools and next(iter(agent.tools.values())).asks:
            decision = await run.decision(agent.events.ToolApproved, timeout="10s")
            await run.decide(decision, agent.events.ToolDenied(comment="no"), by="ann")
        await run.result(*agent.gives, timeout="10s")
        return [
            (each.reactor or "", type(each.event).__name__.removeprefix("Helper"))
            async for each in run.events(live=False)
        ]


def helper(*says: Said, **options: object) -> Agent:
    given: dict[str, object] = {"takes": Asked, "gives": Answered, "model": scripted(*says), "tools": [weather]}
    return Agent("helper", **{**given, **options})  # type: ignore[arg-type]


BEGINS = [("", "Asked"), ("helper", "ModelRequested")]
ENDS = [("helper.model", "ModelReplied"), ("helper.model", "Answered")]


async def test_a_call_and_its_return_are_two_outcomes() -> None:
    assert await told(helper(Call("weather", city="Lyon"), "Rain.")) == [
        *BEGINS,
        ("helper.model", "ModelReplied"),
        ("helper.model", "WeatherCalled"),
        ("helper.tools.weather", "ToolReturned"),
        ("helper.tools.weather", "ModelRequested"),
        *ENDS,
    ]


async def test_several_calls_are_waited_for_by_a_step_of_their_own() -> None:
    found = await told(helper([Call("weather", city="Lyon"), Call("weather", city="Nice")], "Rain."))
    assert found == [
        *BEGINS,
        ("helper.model", "ModelReplied"),
        *[("helper.model", "WeatherCalled")] * 2,
        *[("helper.tools.weather", "ToolReturned")] * 2,
        ("helper.turn", "ModelRequested"),
        *ENDS,
    ]


@pytest.mark.parametrize("call", [Call("no_such_tool"), Call("weather", town="Lyon")])
async def test_a_call_that_cannot_be_made_is_told_at_once(call: Call) -> None:
    assert await told(helper(call, "Rain.")) == [
        *BEGINS,
        ("helper.model", "ModelReplied"),
        ("helper.model", "ToolReturned"),
        ("helper.model", "ModelRequested"),
        *ENDS,
    ]


@pytest.mark.parametrize("calls", [1, 2])
async def test_an_agent_without_tools_is_told_that_it_has_none(calls: int) -> None:
    says = [Call("no_such_tool"), Call("weather", city="Lyon")][:calls]
    assert await told(helper(says, "Rain.", tools=[])) == [
        *BEGINS,
        ("helper.model", "ModelReplied"),
        ("helper.model", "ModelRequested"),
        *ENDS,
    ]


async def test_one_of_several_calls_that_cannot_be_made_waits_for_the_others() -> None:
    found = await told(helper([Call("no_such_tool"), Call("weather", city="Nice")], "Rain."))
    assert found == [
        *BEGINS,
        ("helper.model", "ModelReplied"),
        ("helper.model", "ToolReturned"),
        ("helper.model", "WeatherCalled"),
        ("helper.tools.weather", "ToolReturned"),
        ("helper.turn", "ModelRequested"),
        *ENDS,
    ]


async def test_a_call_that_failed_for_good_goes_on_with_its_failure() -> None:
    desk = Choreography("desk")
    agent = helper(Call("weather", city="Atlantis"), "Who knows.")
    agent.serve(desk)
    async with Scenario(desk) as s:
        await s.when(Asked(question="Weather?"), after="1h")
        s.then(Answered(text="Who knows."))
        assert s.last(agent.events.ToolReturned).outcome == "failed"


async def test_a_denied_call_goes_on_with_the_answer() -> None:
    tools: Sequence[Tool] = [Tool(weather, needs_approval=Approval())]
    assert await told(helper(Call("weather", city="Lyon"), "No.", tools=tools)) == [
        *BEGINS,
        ("helper.model", "ModelReplied"),
        ("helper.model", "ToolProposed"),
        ("", "ToolDenied"),
        ("helper.decision", "ToolReturned"),
        ("helper.decision", "ModelRequested"),
        *ENDS,
    ]


async def test_what_guards_must_see_is_left_to_a_step_of_its_own() -> None:
    seen: list[Answered] = []
    assert await told(helper(Call("weather", city="Lyon"), "Rain.", after=[seen.append])) == [
        *BEGINS,
        ("helper.model", "ModelReplied"),
        ("helper.model", "WeatherCalled"),  # no guard looks at a call
        ("helper.tools.weather", "ToolReturned"),
        ("helper.tools.weather", "ModelRequested"),
        ("helper.model", "ModelReplied"),
        ("helper.model", "ReplyDeferred"),
        ("helper.reply", "Answered"),
    ]
    assert seen == [Answered(text="Rain.")]


async def test_a_reply_that_cannot_be_read_is_not_lost_and_costs_no_second_call() -> None:
    desk = Choreography("desk")
    agent = helper(Call("final_result", city="Lyon"), gives=Reported, tools=[])
    agent.serve(desk)
    broken[:] = ["first", "second"]
    async with Scenario(desk) as s:
        await s.when(Asked(question="Weather?"), after="1m")
        s.then(Reported(city="Lyon"))
        assert [f.reactor for f in s.failures()] == ["helper.reply"]
        assert sum(isinstance(e, agent.events.ModelReplied) for e in s.history) == 1


@pytest.mark.parametrize("calls", [1, 2])
async def test_calls_that_cannot_be_read_at_first_are_made_all_the_same(calls: int) -> None:
    faults = ["first", "second"]

    def needs(args: object) -> bool:
        if faults:
            raise KeyError(faults.pop())
        return False

    desk = Choreography("desk")
    said = [Call("weather", city="Lyon"), Call("weather", city="Nice")][:calls]
    agent = helper(said, "Rain.", tools=[Tool(weather, needs_approval=needs)])
    agent.serve(desk)
    async with Scenario(desk) as s:
        await s.when(Asked(question="Weather?"), after="1m")
        s.then(Answered(text="Rain."))
        assert {f.reactor for f in s.failures()} == {"helper.reply"}
        assert sum(isinstance(e, agent.events.ToolReturned) for e in s.history) == calls
        assert sum(isinstance(e, agent.events.ModelReplied) for e in s.history) == 2
