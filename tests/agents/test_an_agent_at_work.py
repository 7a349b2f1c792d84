"""An agent from the event that it takes to the event that it gives, on virtual time and with a model that has a script."""

from collections.abc import Sequence

import pytest
from pydantic import BaseModel
from pydantic_ai.exceptions import ModelRetry, ToolFailed
from pydantic_ai.messages import ModelMessage, ModelRequest, ModelResponse, ToolReturnPart, UserPromptPart
from pydantic_ai.models.function import AgentInfo, FunctionModel

from farandole.agents import Agent, Call, Retries, Tool, scripted
from farandole.agents.scripted import Said
from farandole.reactors import Choreography, GiveUp, Retry, Step
from farandole.schemas import End, Event, Start
from farandole.testing import Scenario


class Asked(Start):
    question: str


class Answered(End):
    """The answer."""

    text: str


class Place(BaseModel):
    city: str
    visitors: int


class Recommended(End):
    """Places that fit."""

    places: list[Place]


class Declined(End):
    """Nothing fits. Say why."""

    why: str
    sorry: bool


async def weather(city: str) -> str:
    """What the weather is like.

    Args:
        city: where.
    """
    return f"rain in {city}"


def serve(agent: Agent) -> Choreography:
    desk = Choreography("desk")
    agent.serve(desk)
    return desk


def parts_of(message: ModelMessage) -> Sequence[object]:
    return message.parts


async def test_a_text_is_asked_and_a_text_is_given() -> None:
    agent = Agent("helper", takes=Asked, gives=Answered, model=scripted("Rain."), instructions="Be brief.")
    async with Scenario(serve(agent)) as s:
        await s.when(Asked(question="Weather?"))
        s.then_only(agent.events.ModelRequested, agent.events.ModelReplied, Answered(text="Rain."))
        requested = s.last(agent.events.ModelRequested)
        assert requested.parts == [{"content": "Weather?", "part_kind": "user-prompt"}]
        assert requested.instructions == "Be brief."
        replied = s.last(agent.events.ModelReplied)
        assert (replied.agent, replied.turn, replied.model, replied.finish_reason) == ("helper", 1, "scripted", "stop")
        assert replied.input_tokens > 0
        assert replied.output_tokens > 0
        assert replied.cost is None


async def test_calls_of_one_reply_run_side_by_side_and_come_back_together() -> None:
    heard: list[ModelMessage] = []

    def answer(messages: list[ModelMessage]) -> Said:
        heard.extend(messages)
        return "Wet."

    import asyncio

    async def slow(city: str) -> str:
        await asyncio.sleep(60 if city == "Lyon" else 30)
        return f"rain in {city}"

    model = scripted([Call("slow", city="Lyon"), Call("slow", city="Nice"), Call("slow", city="Arles")], answer)
    agent = Agent("helper", takes=Asked, gives=Answered, model=model, tools=[slow])
    async with Scenario(serve(agent)) as s:
        began = s.now
        await s.when(Asked(question="Weather?"))
        assert (s.now - began).total_seconds() == 60
        s.then(Answered(text="Wet."))
        returned = [e for e in s.history if isinstance(e, agent.events.ToolReturned)]
        assert [each.took_ms for each in returned] == [30_000, 30_000, 60_000]
    prompt, call, back = heard
    assert isinstance(prompt, ModelRequest)
    assert isinstance(call, ModelResponse)
    assert [type(part) for part in prompt.parts] == [UserPromptPart]
    told = [part.content for part in back.parts if isinstance(part, ToolReturnPart)]
    assert told == ["rain in Lyon", "rain in Nice", "rain in Arles"]


async def test_what_stands_in_one_event_stands_in_no_other() -> None:
    model = scripted(*[Call("weather", city="x" * 1000)] * 20, "Done.")
    agent = Agent("helper", takes=Asked, gives=Answered, model=model, tools=[weather], turns=30)
    async with Scenario(serve(agent)) as s:
        await s.when(Asked(question="Weather?"))
        s.then(Answered(text="Done."))
        requests = [e for e in s.history if isinstance(e, agent.events.ModelRequested)]
        assert len(requests) == 21
        assert all(len(request.model_dump_json()) < 300 for request in requests)
        replies = [len(e.model_dump_json()) for e in s.history if isinstance(e, agent.events.ModelReplied)]
        assert max(replies) < 2_000


async def test_a_model_gives_an_event_of_its_fields() -> None:
    given = Recommended(places=[Place(city="Arles", visitors=7)])
    agent = Agent("guide", takes=Asked, gives=Recommended | Declined, model=scripted(given))
    async with Scenario(serve(agent)) as s:
        await s.when(Asked(question="Where to?"))
        s.then(given)


async def test_a_model_chooses_which_event_it_gives() -> None:
    told: list[AgentInfo] = []

    async def reply(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        told.append(info)
        from pydantic_ai.messages import ToolCallPart

        return ModelResponse([ToolCallPart("give_declined", {"why": "too wet", "sorry": True})])

    agent = Agent("guide", takes=Asked, gives=Recommended | Declined, model=FunctionModel(reply))
    async with Scenario(serve(agent)) as s:
        await s.when(Asked(question="Where to?"))
        s.then(Declined(why="too wet", sorry=True))
    assert [(tool.name, tool.description) for tool in told[0].output_tools] == [
        ("give_recommended", "Places that fit."),
        ("give_declined", "Nothing fits. Say why."),
    ]
    assert not told[0].allow_text_output


class Wrong(Event):
    """Not what was asked for: sent through a script as arguments that do not fit."""

    places: str


async def test_a_model_is_told_what_does_not_fit() -> None:
    heard: list[ModelMessage] = []

    def better(messages: list[ModelMessage]) -> Said:
        heard[:] = messages
        return Recommended(places=[])

    agent = Agent("guide", takes=Asked, gives=Recommended, model=scripted(Wrong(places="Arles"), better))
    async with Scenario(serve(agent)) as s:
        await s.when(Asked(question="Where to?"))
        s.then(Recommended(places=[]))
        assert [e.corrects for e in s.history if isinstance(e, agent.events.ModelRequested)] == [False, True]
    (told,) = heard[-1].parts
    assert isinstance(told, ToolReturnPart)
    assert told.outcome == "retried"
    assert told.content == "places: Input should be a valid array"


async def test_a_model_that_never_does_better_parks_the_step_and_more_patience_lets_it_go_on() -> None:
    model = scripted(*[Wrong(places="Arles")] * 3, Recommended(places=[]))
    agent = Agent("guide", takes=Asked, gives=Recommended, model=model)
    async with Scenario(serve(agent)) as s:
        await s.when(Asked(question="Where to?"))
        s.owes("guide.model")
        (failure,) = s.failures()
        assert (failure.reactor, failure.error, failure.last) == ("guide.model", "ModelMisbehaved", True)
        agent.retries = Retries(malformed=3)
        await s.retry()
        s.then(Recommended(places=[]))


async def test_a_conversation_has_no_more_turns_than_it_may() -> None:
    agent = Agent(
        "helper", takes=Asked, gives=Answered, model=scripted(Call("weather", city="Arles")), tools=[weather], turns=3
    )
    async with Scenario(serve(agent)) as s:
        await s.when(Asked(question="Weather?"))
        assert sum(isinstance(e, agent.events.ModelReplied) for e in s.history) == 3
        (failure,) = s.failures()
        assert (failure.error, failure.message) == ("TurnsSpent", "the conversation has had its 3 turns")


async def test_calls_that_cannot_be_made_are_told() -> None:
    model = scripted([Call("nope"), Call("weather", town="Arles"), Call("weather", city="Arles")], "Done.")
    agent = Agent("helper", takes=Asked, gives=Answered, model=model, tools=[weather])
    async with Scenario(serve(agent)) as s:
        await s.when(Asked(question="Weather?"))
        s.then(Answered(text="Done."))
        returned = {e.call: e for e in s.history if isinstance(e, agent.events.ToolReturned)}
        assert returned["0-0"].content == "There is no such tool. There are: weather"
        assert "city: Field required" in returned["0-1"].content
        assert [returned[call].outcome for call in sorted(returned)] == ["retried", "retried", "success"]


async def test_a_tool_that_fails_is_tried_again_and_then_the_model_is_told() -> None:
    attempts: list[int] = []

    async def fragile(step: Step) -> str:
        attempts.append(step.attempt)
        raise ConnectionError("no line")

    agent = Agent(
        "helper",
        takes=Asked,
        gives=Answered,
        model=scripted(Call("fragile"), "Sorry."),
        tools=[Tool(fragile, retry=Retry(attempts=3, first="10s", factor=1))],
    )
    async with Scenario(serve(agent)) as s:
        await s.when(Asked(question="Weather?"), after="1m")
        s.then(Answered(text="Sorry."))
        returned = s.last(agent.events.ToolReturned)
        assert (returned.outcome, returned.content) == ("failed", "The call failed: no line")
    assert attempts == [1, 2, 3]


@pytest.mark.parametrize(
    ("error", "outcome", "content"),
    [
        (ModelRetry("name a city"), "retried", "name a city"),
        (ToolFailed("no station"), "failed", "no station"),
        (GiveUp("closed"), "failed", "The call failed: closed"),
    ],
)
async def test_a_tool_says_what_the_model_is_told(error: Exception, outcome: str, content: str) -> None:
    def station(city: str) -> str:
        raise error

    agent = Agent(
        "helper", takes=Asked, gives=Answered, model=scripted(Call("station", city="x"), "Well."), tools=[station]
    )
    async with Scenario(serve(agent)) as s:
        await s.when(Asked(question="Weather?"))
        s.then(Answered(text="Well."))
        returned = s.last(agent.events.ToolReturned)
        assert (returned.outcome, returned.content) == (outcome, content)
        assert len(s.failures()) == (1 if isinstance(error, GiveUp) else 0)


class Station:
    def __init__(self, name: str) -> None:
        self.name = name


async def test_a_tool_is_given_what_handlers_are_given_and_the_model_knows_nothing_of_it() -> None:
    keys: list[str] = []
    told: list[AgentInfo] = []

    async def measure(city: str, step: Step, station: Station, *, decimals: int = 1) -> dict[str, object]:
        """Measures."""
        keys.append(step.key)
        return {"city": city, "station": station.name, "decimals": decimals}

    async def reply(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        from pydantic_ai.messages import TextPart, ToolCallPart

        told.append(info)
        if len(messages) > 1:
            return ModelResponse([TextPart("Done.")])
        return ModelResponse([ToolCallPart("measure", '{"city": "Arles"}'), ToolCallPart("measure", {"city": "Nice"})])

    agent = Agent("helper", takes=Asked, gives=Answered, model=FunctionModel(reply), tools=[measure])
    desk = serve(agent)

    @desk.provide
    def station() -> Station:
        return Station("north")

    async with Scenario(desk) as s:
        await s.when(Asked(question="Weather?"))
        s.then(Answered(text="Done."))
        returned = [e.content for e in s.history if isinstance(e, agent.events.ToolReturned)]
        assert returned[0] == {"city": "Arles", "station": "north", "decimals": 1}
    assert len(set(keys)) == 2
    (tool,) = told[0].function_tools
    assert set(tool.parameters_json_schema["properties"]) == {"city", "decimals"}
    assert tool.description == "Measures."


async def test_a_tool_is_given_a_model_of_pydantics() -> None:
    seen: list[Place] = []

    async def book(place: Place, nights: int) -> Place:
        seen.append(place)
        return place

    script = scripted(
        Call("book", place={"city": "Arles", "visitors": "many"}, nights=2),
        Call("book", place={"city": "Arles", "visitors": 3}, nights=2),
        "Booked.",
    )
    agent = Agent("helper", takes=Asked, gives=Answered, model=script, tools=[book])
    async with Scenario(serve(agent)) as s:
        await s.when(Asked(question="Book it"))
        s.then(Answered(text="Booked."))
        assert s.failures() == []
        refused, booked = [e for e in s.history if isinstance(e, agent.events.ToolReturned)]
    assert seen == [Place(city="Arles", visitors=3)]
    assert (refused.outcome, booked.outcome) == ("retried", "success")
    assert "place.visitors: Input should be a valid integer" in str(refused.content)
    assert booked.content == {"city": "Arles", "visitors": 3}
