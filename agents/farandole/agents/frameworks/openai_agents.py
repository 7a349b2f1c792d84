"""The OpenAI Agents SDK: models and tools of an agent, and of those that it reaches, are wrapped where they stand.

``agent = durable(Agent(name="helper", model="gpt-5", tools=[...]))``, run within `durably`. Elsewhere the agent runs as
if it were not wrapped.

Function tools, MCP tools and agents as tools are recorded. What the provider executes, such as web search, is part of
its reply. Shells, computers and editors that the SDK drives itself are not.
"""

import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from typing import Any, Final, TypeVar

from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage
from pydantic import BaseModel, TypeAdapter
from pydantic_ai import messages as words
from pydantic_ai.usage import RequestUsage
from pydantic_core import to_jsonable_python
from typing_extensions import Unpack

try:
    from agents import (
        Agent,
        FunctionTool,
        Handoff,
        Model,
        ModelResponse,
        RunConfig,
        RunContextWrapper,
        Runner,
        RunState,
        Usage,
    )
except ImportError as e:
    raise ImportError("the OpenAI Agents SDK is not installed: pip install 'farandole[openai-agents]'") from e
from agents.items import TResponseInputItem, TResponseStreamEvent
from agents.models.multi_provider import MultiProvider
from agents.models.openai_chatcompletions import OpenAIChatCompletionsModel
from agents.models.openai_responses import OpenAIResponsesModel
from agents.tool import ToolOutputFileContent, ToolOutputImage, ToolOutputText
from agents.tool_context import ToolContext
from farandole.schemas import DeclarationError

from .adapted import Adapted, Decided, Ended, Options, Paused, Prompt, Wanted
from .calls import Replies, Results
from .openai_streams import heard, streamed
from .recording import recording

A = TypeVar("A", bound=Agent[Any])

_REPLY: Final = TypeAdapter(ModelResponse)
_MADE_UP: Final = ("id", "status")
"""Of what is said to a model: made up by whoever sends it."""
_HOW_TO_BEHAVE: Final = ("system", "developer")


class DurableModel(Model):
    """A model whose replies are recorded. For one that is given in a ``RunConfig``; `durable` wraps those of agents.

    Args:
        model: or the name of one, as the SDK resolves it.
    """

    def __init__(self, model: Model | str | None) -> None:
        self._named = model
        self._model = model if isinstance(model, Model) else None

    @property
    def inner(self) -> Model:
        """The model that is called."""
        if self._model is None:
            self._model = MultiProvider().get_model(self._named if isinstance(self._named, str) else None)
        return self._model

    async def get_response(
        self, system_instructions: str | None, input: str | list[TResponseInputItem], *args: Any, **kwargs: Any
    ) -> ModelResponse:
        async def make() -> ModelResponse:
            if recorder is not None and recorder.listens and self._counts_in_streams(*args, **kwargs):
                return await heard(
                    self.inner.stream_response(system_instructions, input, *args, **kwargs), recorder.hear
                )
            return await self.inner.get_response(system_instructions, input, *args, **kwargs)

        recorder = recording()
        return await (
            make()
            if recorder is None
            else recorder.model(_said(input), make, self._replies(), instructions=system_instructions or "")
        )

    async def stream_response(
        self, system_instructions: str | None, input: str | list[TResponseInputItem], *args: Any, **kwargs: Any
    ) -> AsyncIterator[TResponseStreamEvent]:
        events = self.inner.stream_response(system_instructions, input, *args, **kwargs)
        recorder = recording()
        if recorder is None:
            async for event in events:
                yield event
            return
        said, form = _said(input), self._replies()
        async with aclosing(
            streamed(events, lambda make: recorder.model(said, make, form, instructions=system_instructions or ""))
        ) as passed:
            async for event in passed:
                yield event

    def _counts_in_streams(self, settings: Any = None, *args: Any, **kwargs: Any) -> bool:
        """Whether a streamed reply says what was used: without that nobody knows what it costs."""
        settings = kwargs.get("model_settings", settings)
        return isinstance(self.inner, OpenAIResponsesModel) or bool(getattr(settings, "include_usage", False))

    def get_retry_advice(self, request: Any) -> Any:
        return self.inner.get_retry_advice(request)

    async def close(self) -> None:
        if self._model is not None:
            await self._model.close()

    def _replies(self) -> Replies[ModelResponse]:
        return Replies(
            lambda reply: _REPLY.dump_python(reply, mode="json", exclude_unset=True),
            _REPLY.validate_python,
            self._told,
        )

    def _told(self, reply: ModelResponse) -> words.ModelResponse:
        parts: list[words.ModelResponsePart] = []
        for item in reply.output:
            if isinstance(item, ResponseOutputMessage):
                parts += [
                    words.TextPart(str(getattr(part, "text", None) or getattr(part, "refusal", "")))
                    for part in item.content
                ]
            elif isinstance(item, ResponseFunctionToolCall):
                parts.append(words.ToolCallPart(item.name, item.arguments, item.call_id))
        calls = any(isinstance(part, words.ToolCallPart) for part in parts)
        openai = isinstance(self.inner, OpenAIResponsesModel | OpenAIChatCompletionsModel)
        return words.ModelResponse(
            parts,
            usage=_usage(reply.usage),
            model_name=str(getattr(self.inner, "model", "") or type(self.inner).__name__),
            provider_name="openai" if openai else None,
            finish_reason="tool_call" if calls else "stop",
        )


def durable(agent: A) -> A:
    """Make an agent durable, and those that it hands over to or has as tools. The agent itself is changed, and returned."""
    _wrap(agent, set())
    return agent


def _wrap(agent: Agent[Any], seen: set[int]) -> None:
    if id(agent) in seen:
        return
    seen.add(id(agent))
    if not isinstance(agent.model, DurableModel):
        agent.model = DurableModel(agent.model)
    for tool in agent.tools:
        if isinstance(tool, FunctionTool):
            _wrap_tool(tool)
            if isinstance(within := tool._agent_instance, Agent):
                _wrap(within, seen)
    _wrap_mcp(agent)
    for handoff in agent.handoffs:
        to = handoff._agent_ref and handoff._agent_ref() if isinstance(handoff, Handoff) else handoff
        if isinstance(to, Agent):
            _wrap(to, seen)


def _wrap_mcp(agent: Agent[Any]) -> None:
    """The tools of its MCP servers become known as it runs."""
    listed = agent.get_mcp_tools
    if getattr(listed, "durable", False):
        return

    async def get_mcp_tools(run_context: Any) -> list[Any]:
        tools = await listed(run_context)
        for tool in tools:
            if isinstance(tool, FunctionTool):
                _wrap_tool(tool)
        return tools

    get_mcp_tools.durable = True  # type: ignore[attr-defined]
    agent.__dict__["get_mcp_tools"] = get_mcp_tools


class _Invoker:
    """What invokes a tool, recorded. All else that the SDK looks for in an invoker is that of the one within."""

    def __init__(self, tool: FunctionTool, inner: Callable[[ToolContext[Any], str], Any]) -> None:
        self._tool, self._inner = tool, inner

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__agents_bind"):  # would take the wrapper off
            raise AttributeError(name)
        return getattr(self._inner, name)

    async def __call__(self, context: ToolContext[Any], arguments: str) -> Any:
        recorder = recording()
        if recorder is None:
            return await self._inner(context, arguments)
        name, call, args = self._tool.name, context.tool_call_id, _args(arguments)

        async def make() -> Any:
            return await self._inner(context, arguments)

        if self._tool._is_agent_tool:  # it may wait for people in the midst of it
            return await recorder.around(name, call, args, make, lambda result: (_written(result), "success"))
        typed = self._tool.output_json_schema is not None
        form = Results[Any](
            lambda result: _written(result, typed),
            lambda read: read,
            lambda result: (_written(result, typed), "success"),
        )
        return await recorder.tool(name, call, args, make, form)


def _wrap_tool(tool: FunctionTool) -> None:
    if not isinstance(tool.on_invoke_tool, _Invoker):
        tool.on_invoke_tool = _Invoker(tool, tool.on_invoke_tool)


def _written(result: Any, typed: bool = False) -> Any:
    """As the SDK would tell it to the model: content as it is, all else as text."""
    match result:
        case str() | None:
            return result
        case ToolOutputText() | ToolOutputImage() | ToolOutputFileContent():
            return result.model_dump(mode="json", exclude_none=True)
        case BaseModel() if not typed:
            return str(result)
        case _:
            return to_jsonable_python(result, fallback=str)


def _args(arguments: str) -> Any:
    try:
        return json.loads(arguments or "{}")
    except ValueError:  # the SDK tells the model
        return arguments


def _said(input: str | list[TResponseInputItem]) -> list[Any]:
    if isinstance(input, str):
        return [{"role": "user", "content": input}]
    items = [{k: v for k, v in dict(item).items() if k not in _MADE_UP} for item in input]
    return [item for item in items if item.get("role") not in _HOW_TO_BEHAVE]


def _usage(usage: Usage) -> RequestUsage:
    return RequestUsage(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cache_read_tokens=usage.input_tokens_details.cached_tokens or 0,
        cache_write_tokens=getattr(usage.input_tokens_details, "cache_write_tokens", 0) or 0,
    )


class _Loop:
    def __init__(self, agent: Agent[Any], context: Any, run_config: RunConfig | None, max_turns: int) -> None:
        self._agent, self._context = agent, context
        self._options: dict[str, Any] = {"run_config": run_config, "max_turns": max_turns}
        self.tools = sorted(_tools(agent, set()))

    async def begin(self, prompt: Prompt) -> Ended | Paused:
        return self._came(await Runner.run(self._agent, prompt, context=self._context, **self._options))

    async def go_on(self, state: Any, decided: Sequence[Decided]) -> Ended | Paused:
        waiting: RunState[Any] = await RunState.from_json(
            self._agent, state, context_override=RunContextWrapper(self._context)
        )
        answers = {each.call: each for each in decided}
        for item in waiting.get_interruptions():
            answer = answers[_call(item)]
            if answer.approved:
                waiting.approve(item)
            else:
                waiting.reject(item, rejection_message=answer.why)
        return self._came(await Runner.run(self._agent, waiting, **self._options))

    def _came(self, ran: Any) -> Ended | Paused:
        if not ran.interruptions:
            return Ended(ran.final_output)
        wanted = [
            Wanted(_call(item), item.tool_name or "", _args(_of(item.raw_item, "arguments") or "{}"))
            for item in ran.interruptions
        ]
        state = ran.to_state().to_json(context_serializer=lambda context: {})
        return Paused(_without_context(state), wanted)


def _without_context(state: Any) -> Any:
    """The state without the user's own context, which may hold anything, also in the states within it."""
    if isinstance(state, list):
        return [_without_context(each) for each in state]
    if not isinstance(state, dict):
        return state
    return {
        name: {} if name == "context" and "context_meta" in state else _without_context(each)
        for name, each in state.items()
    }


def _call(item: Any) -> str:
    return str(_of(item.raw_item, "call_id") or _of(item.raw_item, "id"))


def _of(item: Any, name: str) -> Any:
    return item.get(name) if isinstance(item, dict) else getattr(item, name, None)


def _tools(agent: Agent[Any], seen: set[int]) -> set[str]:
    if id(agent) in seen:
        return set()
    seen.add(id(agent))
    found = {tool.name for tool in agent.tools if isinstance(tool, FunctionTool)}
    for handoff in agent.handoffs:
        to = handoff._agent_ref and handoff._agent_ref() if isinstance(handoff, Handoff) else handoff
        if isinstance(to, Agent):
            found |= _tools(to, seen)
    return found


def adapt(
    name: str,
    agent: Agent[Any],
    *,
    takes: Any,
    gives: Any,
    context: Any = None,
    run_config: RunConfig | None = None,
    max_turns: int = 20,
    **options: Unpack[Options],
) -> Adapted:
    """An agent of the OpenAI Agents SDK, to be served as one of our own.

    Args:
        agent: `durable`. Its tools with ``needs_approval`` ask a person.
        takes, gives: as of `farandole.agents.Agent`. What it gives is made of the agent's final output.
        context, run_config, max_turns: as of ``Runner.run``. The context is made anew for each leg: nothing in it is
            recorded.
        options: of legs and approvals.

    Raises:
        DeclarationError: something of it cannot be, or the agent is not durable.
    """
    if not isinstance(agent.model, DurableModel):
        raise DeclarationError(f"agent {name}: make the agent durable, durable(Agent(...))")
    loop = _Loop(agent, context, run_config, max_turns)
    return Adapted(name, loop, takes=takes, gives=gives, **options)
