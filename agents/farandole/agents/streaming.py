"""A reply that is shown while the model makes it. What comes of it is what would have come of it unseen."""

from collections.abc import Sequence
from typing import Final

from pydantic_ai.messages import (
    ModelMessage,
    ModelResponse,
    PartDeltaEvent,
    PartStartEvent,
    TextPart,
    TextPartDelta,
    ToolCallPart,
)
from pydantic_ai.models import Model, ModelRequestParameters
from pydantic_ai.models.function import FunctionModel
from pydantic_ai.models.wrapper import WrapperModel
from pydantic_ai.settings import ModelSettings

from farandole.reactors import Step
from farandole.schemas import Mark, Personal, Secret

TEXT: Final = "text"
CALL: Final = "call"
"""The kind of a piece that is the name of a tool."""


def can_stream(model: Model) -> bool:
    """Whether a model gives its replies piece by piece."""
    while isinstance(model, WrapperModel):
        model = model.wrapped
    if type(model).request_stream is FunctionModel.request_stream and isinstance(model, FunctionModel):
        return model.stream_function is not None
    return type(model).request_stream is not Model.request_stream


async def streamed(
    model: Model,
    messages: Sequence[ModelMessage],
    settings: ModelSettings | None,
    told: ModelRequestParameters,
    step: Step,
    mark: Mark | None,
) -> ModelResponse:
    """A reply, told live as it comes: its text, and the names of the tools that it calls.

    Args:
        mark: of what is said. What is secret is not told at all; what is personal, to those who may see it.
    """
    async with model.request_stream([*messages], settings, told) as stream:
        async for event in stream:
            if mark is not Secret and (said := said_in(event)) is not None:
                step.live(said[0], kind=said[1], personal=mark is Personal)
    return stream.get()


def said_in(event: object) -> tuple[str, str] | None:
    """What an event of a stream says, and its kind: a text, or the name of a tool that is called."""
    match event:
        case PartStartEvent(part=TextPart(content=str(text))) | PartDeltaEvent(delta=TextPartDelta(content_delta=text)):
            return (text, TEXT) if text else None
        case PartStartEvent(part=ToolCallPart(tool_name=name)):
            return name, CALL
        case _:
            return None
