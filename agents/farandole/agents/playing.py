"""A model whose replies are known at once, and take their time all the same: word by word where somebody listens."""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from pydantic_ai.messages import (
    ModelMessage,
    ModelResponse,
    ModelResponseStreamEvent,
    PartDeltaEvent,
    PartStartEvent,
    TextPart,
    TextPartDelta,
)
from pydantic_ai.models import ModelRequestParameters, StreamedResponse
from pydantic_ai.models.function import AgentInfo, FunctionModel
from pydantic_ai.settings import ModelSettings
from pydantic_ai.tools import RunContext

Reply = Callable[[list[ModelMessage], AgentInfo], Awaitable[ModelResponse]]


class Played(FunctionModel):
    """Replies with what a function says.

    Args:
        seconds: how long each reply takes in all.
    """

    def __init__(self, reply: Reply, seconds: float, name: str) -> None:
        super().__init__(reply, model_name=name)
        self._seconds = seconds

    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        if self._seconds:
            await asyncio.sleep(self._seconds)
        return await super().request(messages, model_settings, model_request_parameters)

    @asynccontextmanager
    async def request_stream(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
        run_context: RunContext[Any] | None = None,
    ) -> AsyncGenerator[StreamedResponse]:
        response = await super().request(messages, model_settings, model_request_parameters)
        yield _Words(model_request_parameters, response, self._seconds)


class _Words(StreamedResponse):
    """A reply, word by word."""

    def __init__(self, told: ModelRequestParameters, response: ModelResponse, seconds: float) -> None:
        super().__init__(told)
        self._response = response
        self._seconds = seconds

    def __aiter__(self) -> AsyncIterator[ModelResponseStreamEvent]:
        return self._get_event_iterator()

    async def _get_event_iterator(self) -> AsyncIterator[ModelResponseStreamEvent]:
        events = list(_events(self._response))
        loop = asyncio.get_running_loop()
        began = loop.time()
        for n, event in enumerate(events):
            due = began + self._seconds * (n + 1) / len(events)
            if self._seconds:
                await asyncio.sleep(due - loop.time())
            yield event
        if self._seconds and not events:
            await asyncio.sleep(self._seconds)

    def get(self) -> ModelResponse:
        return self._response

    @property
    def model_name(self) -> str:
        return self._response.model_name or ""

    @property
    def provider_name(self) -> str | None:
        return self._response.provider_name

    @property
    def provider_url(self) -> str | None:
        return self._response.provider_url

    @property
    def timestamp(self) -> datetime:
        return self._response.timestamp


def _events(response: ModelResponse) -> "list[ModelResponseStreamEvent]":
    found: list[ModelResponseStreamEvent] = []
    for index, part in enumerate(response.parts):
        if not isinstance(part, TextPart):
            found.append(PartStartEvent(index=index, part=part))
            continue
        first, *rest = re.findall(r"\S+\s*|\s+", part.content) or [""]
        found.append(PartStartEvent(index=index, part=TextPart(first)))
        found += [PartDeltaEvent(index=index, delta=TextPartDelta(content_delta=word)) for word in rest]
    return found
