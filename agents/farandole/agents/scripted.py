"""A model that says what it was told to say: for tests, and for programs that run offline."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart
from pydantic_ai.models.function import AgentInfo, FunctionModel

from farandole.schemas import Event

from .outputs import snake
from .playing import Played
from .prompts import only_text


@dataclass(frozen=True)
class Call:
    """The model calls a tool: ``Call("look_up", order="7")``."""

    tool: str
    args: dict[str, Any]

    def __init__(self, tool: str, /, **args: Any) -> None:
        object.__setattr__(self, "tool", tool)
        object.__setattr__(self, "args", args)


Said: TypeAlias = str | Event | Call | Sequence[Call] | ModelResponse
"""One line of a script."""


def scripted(
    *script: Said | Callable[[list[ModelMessage]], Said], seconds: float = 0, name: str = "scripted"
) -> FunctionModel:
    """A model that replies by a script: first the first line, then the second, and at last always the last one.

    Which line it is follows from the conversation alone, so that any number of workers may have it, and lose it.

    Args:
        script: a text; an event, given as the agent's model is to give it; calls of tools; a whole response; or a function of the
            messages to one of these.
        seconds: how long each reply takes. It comes word by word.
        name: of the model.
    """

    async def reply(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        line = sum(isinstance(message, ModelResponse) for message in messages)
        said = script[min(line, len(script) - 1)]
        return _response(said(messages) if callable(said) else said, line, info)

    return Played(reply, seconds, name)


def _response(said: Said, line: int, info: AgentInfo) -> ModelResponse:
    match said:
        case ModelResponse():
            return said
        case str():
            return ModelResponse([TextPart(said)], finish_reason="stop")
        case Event():
            names = [tool.name for tool in info.output_tools]
            wanted = f"give_{snake(type(said).__name__)}"
            tool = next((name for name in (wanted, "final_result") if name in names), None)
            if tool is None and (text := only_text(type(said))) is not None:
                return ModelResponse([TextPart(getattr(said, text))], finish_reason="stop")
            args = said.model_dump(mode="json")
            return ModelResponse([ToolCallPart(tool or wanted, args, f"{line}-0")], finish_reason="stop")
        case Call():
            return _response([said], line, info)
        case calls:
            parts = [ToolCallPart(call.tool, call.args, f"{line}-{n}") for n, call in enumerate(calls)]
            return ModelResponse(parts, finish_reason="tool_call")
