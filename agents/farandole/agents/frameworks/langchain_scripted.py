"""A chat model for LangChain that says what it was told to say: for tests, and for programs that run offline."""

import asyncio
from collections.abc import Sequence
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult

from farandole.agents.scripted import Call


class ScriptedModel(BaseChatModel):
    """Replies by a script: first the first line, then the second, and at last always the last one.

    Which line it is follows from what it is sent alone, so that any number of workers may have it, and lose it.

    Args:
        script: texts, and calls of tools.
        seconds: how long each reply takes.
        model_name: of the model.
    """

    script: Sequence[Any]
    seconds: float = 0
    model_name: str = "scripted"

    def __init__(self, *script: str | Call | Sequence[Call], **kwargs: Any) -> None:
        super().__init__(**{"script": script, **kwargs})

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> "ScriptedModel":
        """Itself: the script says which tools are called."""
        return self

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        line = sum(isinstance(message, AIMessage) for message in messages)
        said = self.script[min(line, len(self.script) - 1)]
        calls = [] if isinstance(said, str) else [said] if isinstance(said, Call) else said
        read, written = sum(len(message.text.split()) for message in messages), len(str(said).split())
        reply = AIMessage(
            said if isinstance(said, str) else "",
            tool_calls=[{"name": call.tool, "args": call.args, "id": f"{line}-{n}"} for n, call in enumerate(calls)],
            usage_metadata={"input_tokens": read, "output_tokens": written, "total_tokens": read + written},
        )
        return ChatResult(generations=[ChatGeneration(message=reply)])

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        await asyncio.sleep(self.seconds)
        return self._generate(messages)
