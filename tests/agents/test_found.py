"""Agents find those of other services by the contracts in the log: two services that share no code."""

from collections.abc import Callable
from decimal import Decimal
from enum import Enum
from pathlib import Path

import pytest
from pydantic import BaseModel
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart
from pydantic_ai.models.function import AgentInfo, FunctionModel

from farandole.agents import Agent, Call, FoundTool, scripted
from farandole.reactors import Choreography, NotOffered
from farandole.reactors.graph import findings_in, graph_of
from farandole.schemas import DeclarationError, End, Event, Start
from farandole.testing import Scenario


def the_library() -> Choreography:
    """A service with classes that nobody else can see."""

    class Depth(Enum):
        quick = "quick"
        thorough = "thorough"

    class Shelf(BaseModel):
        name: str
        most: Decimal = Decimal("9.50")

    class ResearchAsked(Start, deadline="1h"):
        """Find out about a subject."""

        subject: str
        depth: Depth = Depth.quick
        shelf: Shelf | None = None

    class Looked(Event):
        title: str

    class Researched(End):
        """What was found."""

        title: str
        price: Decimal

    class NothingFound(End):
        why: str

    library = Choreography("library", service="finding")

    @library.reactor
    async def look(asked: ResearchAsked) -> Looked | NothingFound:
        if asked.subject == "plums":
            return NothingFound(why="out of season")
        return Looked(
            title=f"On {asked.subject}, {asked.depth.value}, {asked.shelf.most if asked.shelf else 'anywhere'}"
        )

    @library.reactor
    async def conclude(looked: Looked) -> Researched:
        return Researched(title=looked.title, price=Decimal("2.50"))

    return library


class Asked(Start):
    question: str


class AideAsked(Start):
    question: str


class Answered(End):
    text: str


def a_desk(tool: FoundTool, heard: list[AgentInfo], *args: dict[str, object]) -> tuple[Choreography, Agent]:
    """A service whose agent calls what it finds, once with each of these."""

    async def reply(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        heard.append(info)
        if len(messages) == 1:
            return ModelResponse([ToolCallPart(tool.name, each, f"call-{n}") for n, each in enumerate(args)])
        return ModelResponse([TextPart("; ".join(str(part.content) for part in messages[-1].parts))])  # type: ignore[union-attr]

    desk = Choreography("desk")
    agent = Agent("boss", takes=Asked, gives=Answered, model=FunctionModel(reply), tools=[tool])
    agent.serve(desk)
    return desk, agent


async def test_an_agent_calls_runs_of_a_service_that_it_shares_no_code_with() -> None:
    heard: list[AgentInfo] = []
    shelf = {"name": "fruit", "most": "4.00"}
    desk, _ = a_desk(
        FoundTool("library"), heard, {"subject": "figs", "depth": "thorough", "shelf": shelf}, {"subject": "plums"}
    )
    async with Scenario(desk, the_library()) as s:
        await s.when(Asked(question="Which?"))
        text = s.last(Answered).text
    assert "'title': 'On figs, thorough, 4.00', 'price': '2.50'" in text
    assert "out of season" in text
    (tool,) = heard[0].function_tools
    assert (tool.name, tool.description) == ("library", "Find out about a subject.")
    assert tool.parameters_json_schema["required"] == ["subject"]
    assert tool.parameters_json_schema["$defs"]["Depth"]["enum"] == ["quick", "thorough"]


async def test_two_agents_of_one_service_find_the_same() -> None:
    desk = Choreography("desk")
    for name, takes in (("boss", Asked), ("aide", AideAsked)):
        Agent(
            name, takes=takes, gives=Answered, model=scripted(Call("library", subject=name), f"{name} says so."),
            tools=[FoundTool("library")],
        ).serve(desk)  # fmt: skip
    async with Scenario(desk, the_library()) as s:
        await s.when(AideAsked(question="Which?"))
        assert s.last(Answered).text == "aide says so."


def a_library_that_is_asked() -> Choreography:
    class Asked(Start):
        subject: str

    class Found(End):
        title: str

    library = Choreography("library")

    @library.reactor
    async def look(asked: Asked) -> Found:
        return Found(title=asked.subject)

    return library


async def test_a_found_event_with_the_name_of_ones_own_is_told_with_a_cure() -> None:
    desk, _ = a_desk(FoundTool("library"), [])
    with pytest.raises(
        DeclarationError, match=r"'library' has an event Asked.*class Asked\(\.\.\., name='DeskAsked'\)"
    ):
        async with Scenario(a_library_that_is_asked(), desk) as s:
            await s.when(Asked(question="Which?"))


async def test_the_cure_for_a_name_that_two_have_is_one() -> None:
    class Asked(Start, name="DeskAsked"):
        question: str

    desk = Choreography("desk")
    script = scripted(Call("library", subject="figs"), "Figs.")
    Agent("boss", takes=Asked, gives=Answered, model=script, tools=[FoundTool("library")]).serve(desk)
    async with Scenario(desk, a_library_that_is_asked()) as s:
        await s.when(Asked(question="Which?"))
        assert s.last(Answered).text == "Figs."


async def test_what_does_not_fit_is_told_to_the_model() -> None:
    desk, agent = a_desk(FoundTool("library", "ResearchAsked", name="research"), [], {"subject": 7, "colour": "red"})
    async with Scenario(desk, the_library()) as s:
        await s.when(Asked(question="Which?"))
        returned = s.last(agent.events.ToolReturned)
        assert (returned.tool, returned.outcome) == ("research", "retried")
        assert "subject: Input should be a valid string" in str(returned.content)
        assert "colour: Extra inputs are not permitted" in str(returned.content)


def an_empty_library() -> Choreography:
    class Leafed(Start): ...

    library = Choreography("library")

    @library.reactor
    async def leaf(leafed: Leafed) -> None: ...

    return library


def two_kinds() -> Choreography:
    library = the_library()

    class Lent(Start):
        title: str

    class Returned(End): ...

    @library.reactor
    async def lend(lent: Lent) -> Returned:
        return Returned()

    return library


@pytest.mark.parametrize(
    ("tool", "there", "said"),
    [
        (FoundTool("library", "Sung"), the_library, "nobody offers Sung: there are ResearchAsked"),
        (FoundTool("library"), two_kinds, "not clear which run of 'library' is meant: there are Lent, ResearchAsked"),
        (FoundTool("library"), an_empty_library, "nobody serves any run there; start its services first"),
    ],
)
async def test_what_nobody_offers_is_told_before_work_begins(
    tool: FoundTool, there: Callable[[], Choreography], said: str
) -> None:
    desk, _ = a_desk(tool, [])
    with pytest.raises(NotOffered, match=said):
        async with Scenario(there(), desk) as s:
            await s.when(Asked(question="Which?"))


async def test_workers_find_it_in_a_real_log_and_start_again(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/log.db"
    heard: list[AgentInfo] = []
    async with the_library().work(url, partitions=1):
        for number in range(2):
            desk, _ = a_desk(FoundTool("library"), heard, {"subject": f"figs {number}"})
            for again in range(2):
                async with desk.work(url, partitions=1) as client:
                    run = await client.start(Asked(question="Which?"), run_id=f"run-{number}-{again}")
                    assert f"On figs {number}" in (await run.result(Answered, timeout="60s")).text


def test_what_is_not_found_yet_is_nothing_amiss() -> None:
    desk = Choreography("desk")
    agent = Agent("boss", takes=Asked, gives=Answered, model=scripted("x"), tools=[FoundTool("library")])
    served = agent.serve(desk)
    assert "boss.tools.library" in served.reactors
    desk.load()
    assert [finding for finding in findings_in(graph_of(desk)) if finding.severity == "error"] == []
