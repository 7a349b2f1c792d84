"""A model of a real provider, whose answers come over HTTP: what it says of itself is recorded, and its errors are told apart."""

import asyncio
import json
import warnings
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from pydantic_ai.models import Model
from pydantic_ai.models.fallback import FallbackModel
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.models.test import TestModel
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.settings import ModelSettings

from farandole.agents import Agent
from farandole.reactors import Choreography
from farandole.schemas import End, Start
from farandole.testing import Scenario

SECONDS = 0.25
REPLY = {"role": "assistant", "content": "It will rain."}
USAGE = {"prompt_tokens": 1000, "completion_tokens": 500, "total_tokens": 1500}
HEAD = {"id": "chatcmpl-1", "created": 1_760_000_000, "model": "gpt-4o-2024-08-06"}


class Asked(Start):
    question: str


class Answered(End):
    text: str


class Unretried(TestModel):
    """Of a provider whose client knows no number of attempts."""

    unsupported_settings = frozenset({"max_retries"})


class Provider:
    """Answers the requests of a model, each in its turn: by a reply, or by a status that is none.

    Attributes:
        asked: what was asked.
    """

    def __init__(self, *answers: Callable[[], httpx2.Response]) -> None:
        self.asked: list[dict[str, Any]] = []
        self._answers = [*answers]

    def model(self, **settings: Any) -> OpenAIChatModel:
        http = httpx2.AsyncClient(transport=httpx2.MockTransport(self._answer))
        provider, own = (
            OpenAIProvider(api_key="none", http_client=http),
            ModelSettings(**settings) if settings else None,
        )
        return OpenAIChatModel("gpt-4o", provider=provider, settings=own)

    async def _answer(self, request: httpx2.Request) -> httpx2.Response:
        await asyncio.sleep(SECONDS)
        asked = json.loads(request.content)
        self.asked.append(asked)
        return self._answers.pop(0)() if self._answers else (_streamed() if asked.get("stream") else _whole())


def _whole() -> httpx2.Response:
    choice = {"index": 0, "finish_reason": "stop", "message": REPLY}
    return httpx2.Response(200, json={**HEAD, "object": "chat.completion", "choices": [choice], "usage": USAGE})


def _streamed() -> httpx2.Response:
    chunks: list[dict[str, Any]] = [
        {"choices": [{"index": 0, "delta": {"role": "assistant", "content": "It will "}, "finish_reason": None}]},
        {"choices": [{"index": 0, "delta": {"content": "rain."}, "finish_reason": None}]},
        {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
        {"choices": [], "usage": USAGE},
    ]
    lines = [json.dumps({**HEAD, "object": "chat.completion.chunk", **chunk}) for chunk in chunks]
    text = "".join(f"data: {line}\n\n" for line in [*lines, "[DONE]"])
    return httpx2.Response(200, headers={"Content-Type": "text/event-stream"}, text=text)


def refused(status: int, **headers: str) -> Callable[[], httpx2.Response]:
    error = {"error": {"message": "not now", "type": "of some kind", "code": None}}
    return lambda: httpx2.Response(status, headers=headers, json=error)


def served(provider: Provider, stream: bool) -> tuple[Choreography, Agent]:
    desk = Choreography("desk")
    agent = Agent("helper", takes=Asked, gives=Answered, model=provider.model(), stream=stream)
    agent.serve(desk)
    return desk, agent


async def test_a_providers_client_has_its_own_retries_if_it_is_told_so() -> None:
    provider = Provider(refused(503))
    desk = Choreography("desk")
    Agent(
        "helper", takes=Asked, gives=Answered, model=provider.model(), settings={"max_retries": 1, "temperature": 0}
    ).serve(desk)
    async with Scenario(desk) as s:
        await s.when(Asked(question="Weather?"), after="10s")
        s.then(Answered(text="It will rain."))
        assert s.failures() == []
    assert [asked["temperature"] for asked in provider.asked] == [0, 0]


@pytest.mark.parametrize(
    ("second", "settings", "asked"),
    [
        (lambda: Provider().model(), None, 1),
        (lambda: Provider().model(max_retries=1), None, 3),
        (lambda: Unretried(custom_output_text="It will rain."), None, 3),
        (lambda: Provider().model(), ModelSettings(max_retries=1), 2),
    ],
    ids=["none says how often", "one says so", "one does not know of it", "the agent says so"],
)
async def test_of_models_that_fall_back_to_each_other_each_makes_the_attempts_that_it_is_to_make(
    second: Callable[[], Model], settings: ModelSettings | None, asked: int
) -> None:
    first = Provider(*[refused(503)] * 9)
    desk = Choreography("desk")
    model = FallbackModel(first.model(), second())
    Agent("helper", takes=Asked, gives=Answered, model=model, settings=settings).serve(desk)
    async with Scenario(desk) as s:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            await s.when(Asked(question="Weather?"), after="10s")
        s.then(Answered(text="It will rain."))
        assert s.failures() == []
    assert len(first.asked) == asked


async def test_models_that_all_fail_are_asked_again_once_one_of_them_may_answer() -> None:
    first, second = Provider(refused(401)), Provider(refused(429, **{"Retry-After": "90"}))
    desk = Choreography("desk")
    Agent("helper", takes=Asked, gives=Answered, model=FallbackModel(first.model(), second.model())).serve(desk)
    async with Scenario(desk) as s:
        await s.when(Asked(question="Weather?"), after="89s")
        assert [(failure.error, failure.last) for failure in s.failures()] == [("RateLimited", False)]
        await s.passes("2s")
        s.then(Answered(text="It will rain."))


async def test_models_that_all_take_no_such_request_are_not_asked_again() -> None:
    desk, both = Choreography("desk"), (Provider(refused(401)), Provider(refused(400)))
    Agent("helper", takes=Asked, gives=Answered, model=FallbackModel(*[each.model() for each in both])).serve(desk)
    async with Scenario(desk) as s:
        await s.when(Asked(question="Weather?"), after="1h")
        assert [(failure.error, failure.last) for failure in s.failures()] == [("ModelRejected", True)]
    assert [len(each.asked) for each in both] == [1, 1]


BOTH = pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])


@BOTH
async def test_what_the_provider_says_of_a_reply_is_recorded_with_its_price(stream: bool) -> None:
    provider = Provider()
    desk, agent = served(provider, stream)
    async with Scenario(desk) as s:
        await s.when(Asked(question="Weather?"))
        s.then(Answered(text="It will rain."))
        replied = s.last(agent.events.ModelReplied)
    assert [bool(asked.get("stream")) for asked in provider.asked] == [stream]
    assert (replied.provider, replied.model, replied.finish_reason) == ("openai", "gpt-4o-2024-08-06", "stop")
    assert (replied.input_tokens, replied.output_tokens) == (1000, 500)
    assert replied.took_ms == SECONDS * 1000
    assert replied.cost is not None
    assert 0 < replied.cost < 1


@BOTH
async def test_whoever_asks_too_often_waits_as_long_as_the_provider_says(stream: bool) -> None:
    provider = Provider(refused(429, **{"Retry-After": "90"}))
    desk, agent = served(provider, stream)
    async with Scenario(desk) as s:
        began = s.now
        await s.when(Asked(question="Weather?"), after="89s")  # and what it took to be told so
        s.owes("helper.model")
        assert [failure.error for failure in s.failures()] == ["RateLimited"]
        assert len(provider.asked) == 1
        await s.passes("2s")
        s.then(Answered(text="It will rain."))
        assert (s.now - began).total_seconds() == 91
        assert s.last(agent.events.ModelReplied).attempt == 2
    assert len(provider.asked) == 2


@BOTH
async def test_a_request_that_the_provider_does_not_understand_is_not_made_again(stream: bool) -> None:
    provider = Provider(refused(400))
    desk, _ = served(provider, stream)
    async with Scenario(desk) as s:
        await s.when(Asked(question="Weather?"), after="1h")
        assert [(failure.error, failure.last) for failure in s.failures()] == [("ModelRejected", True)]
    assert len(provider.asked) == 1


@BOTH
async def test_a_provider_that_is_down_is_asked_again(stream: bool) -> None:
    provider = Provider(*[refused(503)] * 9)
    desk, agent = served(provider, stream)
    async with Scenario(desk) as s:
        await s.when(Asked(question="Weather?"), after="1h")
        s.then(Answered(text="It will rain."))
        assert {(failure.error, failure.last) for failure in s.failures()} == {("ModelUnreachable", False)}
        assert s.last(agent.events.ModelReplied).attempt == len(s.failures()) + 1
    assert len(provider.asked) == 10
