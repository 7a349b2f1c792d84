"""A model for the OpenAI Agents SDK that says what it was told to say: for tests, and for programs that run offline."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from itertools import groupby
from typing import Any

from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage, ResponseOutputText

from agents import Model, ModelResponse, Usage
from agents.items import TResponseInputItem, TResponseOutputItem, TResponseStreamEvent
from farandole.agents.scripted import Call

from .openai_streams import completed


class ScriptedModel(Model):
    """Replies by a script: first the first line, then the second, and at last always the last one.

    Which line it is follows from what it is sent alone, so that any number of workers may have it, and lose it.

    Args:
        script: texts, and calls of tools.
        seconds: how long each reply takes.
        name: of the model.
    """

    def __init__(self, *script: str | Call | Sequence[Call], seconds: float = 0, name: str = "scripted") -> None:
        self._script = script
        self._seconds = seconds
        self.model = name

    async def get_response(
        self, system_instructions: str | None, input: str | list[TResponseInputItem], *args: Any, **kwargs: Any
    ) -> ModelResponse:
        await asyncio.sleep(self._seconds)
        line = replies_in(input)
        said = self._script[min(line, len(self._script) - 1)]
        read, written = _words(str(input)), _words(str(said))
        usage = Usage(requests=1, input_tokens=read, output_tokens=written, total_tokens=read + written)
        return ModelResponse(output=_items(said, line), usage=usage, response_id=None)

    async def stream_response(
        self, system_instructions: str | None, input: str | list[TResponseInputItem], *args: Any, **kwargs: Any
    ) -> AsyncIterator[TResponseStreamEvent]:
        yield completed(await self.get_response(system_instructions, input), 0)


def replies_in(input: str | list[TResponseInputItem]) -> int:
    """How many replies there were: what the model said in a row is one."""
    if isinstance(input, str):
        return 0
    return sum(own for own, _ in groupby(input, key=_is_own))


def _is_own(item: Any) -> bool:
    return bool(item.get("type") == "function_call" or item.get("role") == "assistant")


def _items(said: str | Call | Sequence[Call], line: int) -> list[TResponseOutputItem]:
    if isinstance(said, str):
        text = ResponseOutputText(text=said, type="output_text", annotations=[], logprobs=[])
        return [
            ResponseOutputMessage(
                id=f"said-{line}", type="message", role="assistant", status="completed", content=[text]
            )
        ]
    calls = [said] if isinstance(said, Call) else said
    return [
        ResponseFunctionToolCall(
            id=f"{line}-{n}",
            call_id=f"{line}-{n}",
            type="function_call",
            name=call.tool,
            arguments=json.dumps(call.args),
        )
        for n, call in enumerate(calls)
    ]


def _words(text: str) -> int:
    return len(text.split())
