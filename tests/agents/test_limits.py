"""What a provider refuses, what an agent may spend, and what guards let pass."""

from decimal import Decimal

import pytest
from pydantic_ai.exceptions import (
    ContentFilterError,
    ModelAuthenticationError,
    ModelConnectionError,
    ModelHTTPError,
    ModelRateLimitError,
    ModelRetry,
    UnexpectedModelBehavior,
)
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart
from pydantic_ai.models.function import AgentInfo, FunctionModel

from farandole.agents import Agent, Blocked, Budget, Call, Retries, scripted
from farandole.reactors import Choreography, Failed, Retry
from farandole.schemas import End, Event, Start
from farandole.testing import Scenario


class Asked(Start):
    question: str


class Answered(End):
    text: str


class Refused(End):
    why: str


async def weather(city: str) -> str:
    return f"rain in {city}"


def serve(agent: Agent) -> Choreography:
    desk = Choreography("desk")
    agent.serve(desk)
    return desk


def failing(*errors: Exception) -> FunctionModel:
    """A model that raises each of these once, and then answers."""
    left = list(errors)

    async def reply(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        if left:
            raise left.pop(0)
        return ModelResponse([TextPart("Rain.")], finish_reason="stop")

    return FunctionModel(reply)


async def test_a_provider_is_asked_again_no_sooner_than_it_says() -> None:
    agent = Agent(
        "helper",
        takes=Asked,
        gives=Answered,
        model=failing(ModelRateLimitError("m", "slow down", retry_after=90), ModelRateLimitError("m", "slow down")),
        retries=Retries(rate_limit=Retry(attempts=3, first="4s", factor=1)),
    )
    async with Scenario(serve(agent)) as s:
        await s.when(Asked(question="Weather?"), after="89s")
        s.owes("helper.model")
        await s.passes("2s")
        s.owes("helper.model")
        await s.passes("6s")
        s.then(Answered(text="Rain."))
        assert s.last(agent.events.ModelReplied).attempt == 3


async def test_kinds_of_failures_have_attempts_of_their_own() -> None:
    agent = Agent(
        "helper",
        takes=Asked,
        gives=Answered,
        model=failing(*[ModelRateLimitError("m", "slow down")] * 4, ModelConnectionError("m", "cut")),
        retries=Retries(
            rate_limit=Retry(attempts=9, first="1s", factor=1), transport=Retry(attempts=2, first="1s", factor=1)
        ),
    )
    async with Scenario(serve(agent)) as s:
        await s.when(Asked(question="Weather?"), after="1m")
        assert [f.error for f in s.failures()] == ["RateLimited"] * 4 + ["ModelUnreachable"]
        assert s.failures()[-1].last
        await s.retry(after="1m")
        s.then(Answered(text="Rain."))


@pytest.mark.parametrize(
    ("error", "told", "last"),
    [
        (ModelAuthenticationError("m", "wrong key"), "ModelRejected", True),
        (ModelHTTPError(400, "m"), "ModelRejected", True),
        (ModelHTTPError(503, "m"), "ModelUnreachable", False),
        (ConnectionResetError("cut"), "ModelUnreachable", False),
        (ContentFilterError("filtered"), "ModelRefused", False),
        (UnexpectedModelBehavior("no JSON"), "ModelMalformed", False),
        (KeyError("what nobody foresaw"), "KeyError", False),
    ],
)
async def test_each_failure_is_of_a_kind(error: Exception, told: str, last: bool) -> None:
    agent = Agent("helper", takes=Asked, gives=Answered, model=failing(error))
    async with Scenario(serve(agent)) as s:
        await s.when(Asked(question="Weather?"), after="1m")
        assert [(f.error, f.last) for f in s.failures()] == [(told, last)]
        if not last:
            s.then(Answered(text="Rain."))


async def test_a_filtered_reply_is_recorded_and_asked_for_again() -> None:
    filtered = ModelResponse([TextPart("I must not.")], finish_reason="content_filter")
    heard: list[int] = []

    async def reply(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        heard.append(len(messages))
        if len(heard) < 2:
            return filtered
        return ModelResponse([TextPart("Rain.")], finish_reason="stop")

    agent = Agent("helper", takes=Asked, gives=Answered, model=FunctionModel(reply))
    async with Scenario(serve(agent)) as s:
        await s.when(Asked(question="Weather?"))
        s.then(Answered(text="Rain."))
        replies = [e.finish_reason for e in s.history if isinstance(e, agent.events.ModelReplied)]
        assert replies == ["content_filter", "stop"]
    assert heard == [1, 1]


async def test_a_reply_that_was_cut_off_is_no_answer() -> None:
    cut = ModelResponse([TextPart("Rain, and then")], finish_reason="length")
    agent = Agent("helper", takes=Asked, gives=Answered, model=scripted(cut, "Rain."))
    async with Scenario(serve(agent)) as s:
        await s.when(Asked(question="Weather?"))
        s.then(Answered(text="Rain."))
        assert "cut off" in str(s.last(agent.events.ModelRequested).parts)


async def test_a_model_that_keeps_refusing_parks_the_step() -> None:
    agent = Agent(
        "helper",
        takes=Asked,
        gives=Answered,
        model=scripted(ModelResponse([TextPart("No.")], finish_reason="content_filter")),
    )
    async with Scenario(serve(agent)) as s:
        await s.when(Asked(question="Weather?"))
        (failure,) = s.failures()
        assert (failure.reactor, failure.error) == ("helper.model", "ModelMisbehaved")
        assert sum(isinstance(e, agent.events.ModelReplied) for e in s.history) == 2


def spender(budget: Budget, price: Decimal | None = Decimal("0.20")) -> Agent:
    return Agent(
        "helper",
        takes=Asked,
        gives=Answered,
        model=scripted(*[Call("weather", city="Arles")] * 4, "Rain."),
        tools=[weather],
        budget=budget,
        price=lambda response: price,
    )


@pytest.mark.parametrize(
    ("budget", "calls", "message"),
    [
        (Budget(usd="0.50"), 3, "0.6 of 0.50 USD are spent in this run"),
        (Budget(calls=2), 2, "2 of 2 calls of the model are spent in this run"),
        (Budget(tool_calls=3), 3, "3 of 3 calls of tools are spent in this run"),
        (Budget(tokens=1), 1, "of 1 tokens are spent in this run"),
    ],
)
async def test_what_is_spent_stops_the_run_before_the_next_call(budget: Budget, calls: int, message: str) -> None:
    agent = spender(budget)
    async with Scenario(serve(agent)) as s:
        await s.when(Asked(question="Weather?"))
        assert sum(isinstance(e, agent.events.ModelReplied) for e in s.history) == calls
        (failure,) = s.failures()
        assert (failure.error, failure.last) == ("BudgetSpent", True)
        assert message in failure.message
        assert s.status.status == "failed"
        agent.budget = None  # a deploy with a larger one
        await s.retry()
        s.then(Answered(text="Rain."))


async def test_a_price_that_nobody_knows_is_not_held_to_be_nothing() -> None:
    agent = spender(Budget(usd="0.50"), price=None)
    async with Scenario(serve(agent)) as s:
        await s.when(Asked(question="Weather?"))
        (failure,) = s.failures()
        assert "nobody knows what scripted costs" in failure.message
        assert sum(isinstance(e, agent.events.ModelReplied) for e in s.history) == 1


async def test_what_an_agent_failed_with_can_be_taken() -> None:
    agent = spender(Budget(calls=1))
    desk = serve(agent)

    @desk.reactor(of="helper.model")
    async def refuse(failed: Failed) -> Refused:
        return Refused(why=failed.error)

    async with Scenario(desk) as s:
        await s.when(Asked(question="Weather?"))
        s.then(Refused(why="1 of 1 calls of the model are spent in this run"))


async def test_a_guard_stops_what_an_agent_takes() -> None:
    def guard(asked: Asked) -> Event | None:
        if "card" in asked.question:
            raise Blocked("holds a card number")
        return Refused(why="not about the weather") if "weather" not in asked.question.lower() else None

    model = scripted(Answered(text="Rain."))
    agent = Agent("helper", takes=Asked, gives=Answered | Refused, model=model, before=[guard])
    for question, end in (("Weather?", Answered(text="Rain.")), ("Stocks?", Refused(why="not about the weather"))):
        async with Scenario(serve(agent)) as s:
            await s.when(Asked(question=question))
            s.then(end)
    async with Scenario(serve(agent)) as s:
        await s.when(Asked(question="My card is"))
        s.owes("helper")
        s.then_not(agent.events.ModelRequested)


async def test_a_guard_has_the_model_do_better() -> None:
    heard: list[str] = []

    async def guard(given: Answered) -> None:
        if "swear" in given.text:
            raise ModelRetry("mind your language")

    def better(messages: list[ModelMessage]) -> str:
        heard.append(str(messages[-1].parts[0].content))  # type: ignore[union-attr]
        return "Rain."

    agent = Agent("helper", takes=Asked, gives=Answered, model=scripted("I swear", better), after=[guard])
    async with Scenario(serve(agent)) as s:
        await s.when(Asked(question="Weather?"))
        s.then(Answered(text="Rain."))
        assert s.failures() == []
    assert "mind your language" in heard[0]


async def test_a_guard_that_breaks_costs_no_second_call_of_the_model() -> None:
    broken = [1, 2]

    def guard(given: Answered) -> None:
        if broken:
            broken.pop()
            raise ConnectionError("the guard's own service is away")

    agent = Agent("helper", takes=Asked, gives=Answered, model=scripted("Rain."), after=[guard])
    async with Scenario(serve(agent)) as s:
        await s.when(Asked(question="Weather?"), after="1m")
        s.then(Answered(text="Rain."))
        assert sum(isinstance(e, agent.events.ModelReplied) for e in s.history) == 1
        assert {f.reactor for f in s.failures()} == {"helper.reply"}
