"""The step that calls the model: once it has replied, nothing goes wrong in it for which it would be called again."""

import asyncio
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zlib import crc32

from pydantic_ai.messages import (
    InstructionPart,
    ModelMessage,
    ModelRequest,
    ModelResponse,
)
from pydantic_ai.models import Model, ModelRequestParameters
from pydantic_ai.models.fallback import FallbackModel
from pydantic_ai.models.wrapper import WrapperModel
from pydantic_ai.settings import ModelSettings, merge_model_settings

from farandole.reactors import Step

from .budget import check_limits
from .conversations import Conversations, as_message
from .errors import ModelMalformed, ModelRejected
from .events import ModelReplied, ModelRequested
from .prices import cost_of
from .replying import replied_with
from .retries import failure_of
from .servers import McpServer
from .spans import traced
from .streaming import can_stream, streamed
from .wholes import with_wholes

if TYPE_CHECKING:
    from .agent import Agent
    from .connecting import Connection


def caller(agent: "Agent") -> Any:
    """The reactor that calls the model, if the conversation may go on, and goes on with its reply."""

    async def handle(
        requested: ModelRequested, state: Conversations, step: Step, model: Model, **servers: "Connection"
    ) -> Any:
        talk = state.talks[requested.conversation]
        check_limits(requested.turn, talk, agent.turns, agent.retries)
        if agent.budget is not None:
            agent.budget.check(state)
        instructions = talk.opened.instructions
        messages = _sent(agent, state.messages(requested.conversation), instructions)
        if state.refers(requested.conversation):
            messages = await with_wholes(messages, agent.large, agent.name)
        told = parameters(agent, instructions)
        for server in servers.values():
            told.function_tools.extend(await server.definitions())
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            traced_ = traced(model, agent.name, requested.conversation)
            response = await _request(traced_, messages, agent, told, step)
        except Exception as e:
            spread = crc32(step.key.encode()) / 0xFFFFFFFF
            raise failure_of(e, agent.retries.rate_limit, step.attempt, spread) from e
        replied = _replied(agent, requested, response, round((loop.time() - began) * 1000), step.attempt)
        return replied_with(agent, replied, response)

    return handle


def parameters(agent: "Agent", instructions: str) -> ModelRequestParameters:
    """What goes along with each request of an agent."""
    ways = agent.ways
    return ModelRequestParameters(
        function_tools=[tool.definition for tool in agent.tools.values() if not isinstance(tool, McpServer)],
        output_mode="tool" if ways.by_tool else "text",
        output_tools=ways.definitions(),
        allow_text_output=ways.text is not None,
        instruction_parts=[InstructionPart(instructions)] if instructions else None,
    )


def _sent(agent: "Agent", messages: Sequence[ModelMessage], instructions: str) -> list[ModelMessage]:
    sent = list(agent.context(messages))
    if instructions and isinstance(last := sent[-1], ModelRequest):
        sent[-1] = ModelRequest(parts=last.parts, instructions=instructions)
    return sent


async def _request(
    model: Model, messages: list[ModelMessage], agent: "Agent", told: ModelRequestParameters, step: Step
) -> ModelResponse:
    prepared, settings = model.prepare_messages(messages, told), settings_for(model, agent.settings)
    if agent.stream and can_stream(model):
        response = await streamed(model, prepared, settings, told, step, agent.mark)
    else:
        response = await model.request(prepared, settings, told)
    if response.state == "suspended":
        raise ModelRejected("the model paused in the midst of its reply, which is not supported")
    if response.state != "complete":
        raise ModelMalformed(f"the reply is {response.state}")
    return response


def settings_for(model: Model, given: ModelSettings | None) -> ModelSettings | None:
    """What a model is called with: its provider's client makes one attempt, unless it is told how many.

    Attempts are the step's: each is recorded, and none keeps one of the calls that a worker makes at once while it waits.
    What is said to a model that falls back to others is said to all of them, so one that has its own number, or knows of
    none, leaves it to each.
    """
    if any(
        "max_retries" in each.unsupported_settings or "max_retries" in (each.settings or {}) for each in _within(model)
    ):
        return given
    one: ModelSettings = {"max_retries": 0}
    return merge_model_settings(one, given)


def _within(model: Model) -> Iterator[Model]:
    """The models that a setting comes to."""
    match model:
        case WrapperModel(wrapped=wrapped):
            yield from _within(wrapped)
        case FallbackModel(models=models):
            for each in models:
                yield from _within(each)
        case _:
            yield model


def _replied(
    agent: "Agent", requested: ModelRequested, response: ModelResponse, took_ms: int, attempt: int
) -> ModelReplied:
    usage = response.usage
    return agent.events.ModelReplied(
        agent=agent.name,
        conversation=requested.conversation,
        turn=requested.turn,
        message=as_message(response),
        model=response.model_name or "",
        provider=response.provider_name or "",
        finish_reason=response.finish_reason or "",
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cache_read_tokens=usage.cache_read_tokens,
        cache_write_tokens=usage.cache_write_tokens,
        cost=_cost(agent, response),
        took_ms=took_ms,
        attempt=attempt,
    )


def _cost(agent: "Agent", response: ModelResponse) -> Decimal | None:
    return cost_of(response) if agent.price is None else agent.price(response)
