"""LangChain and LangGraph: models are wrapped, and calls of tools pass a middleware.

- An agent of ``create_agent`` takes ``middleware=[Durable()]``, which records its model and its tools.
- In a graph of one's own, write ``DurableModel(model)`` for a model, and ``ToolNode(tools, awrap_tool_call=durable_tools)``
  for the tools.

Run within `durably`, with ``ainvoke`` or ``astream``. Elsewhere they run as if they were not wrapped.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import ContextVar
from hashlib import blake2b
from typing import Any, Final

try:
    from langchain.agents.middleware import AgentMiddleware
except ImportError as e:
    raise ImportError("LangChain is not installed: pip install 'farandole[langgraph]'") from e
from langchain_core.callbacks import AsyncCallbackHandler, AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
    message_chunk_to_message,
)
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable
from langgraph.config import get_config
from langgraph.types import Command
from pydantic_ai import messages as words
from pydantic_ai.usage import RequestUsage
from typing_extensions import Unpack

from farandole.agents.events import Outcome
from farandole.agents.streaming import CALL
from farandole.schemas import DeclarationError

from .adapted import Adapted, Decided, Ended, Options, Paused, Prompt, Wanted
from .calls import NotDurable, Replies, Results
from .checkpoints import as_json, from_json, kept, saver_with
from .recording import Recorder, making, recording

_outside: ContextVar[int] = ContextVar("farandole_outside", default=0)
"""How many nodes lie around the call of a tool that is under way."""
_THREAD: Final = {"configurable": {"thread_id": "leg"}}
_FINISHED: Final[dict[str, words.FinishReason]] = {
    "stop": "stop",
    "end_turn": "stop",
    "tool_calls": "tool_call",
    "tool_use": "tool_call",
    "length": "length",
    "max_tokens": "length",
    "content_filter": "content_filter",
}
"""What providers call it, by what it is called here."""


class DurableModel(BaseChatModel):
    """A chat model whose replies are recorded.

    Args:
        inner: the model, or what came of binding tools to it.
    """

    inner: Any
    in_agent: bool = False
    """Whether it is the one model of an agent, and not of a node among others."""

    def __init__(self, inner: Runnable[Any, Any], **kwargs: Any) -> None:
        super().__init__(**{"inner": inner, "profile": getattr(inner, "profile", None), **kwargs})

    @property
    def _llm_type(self) -> str:
        return str(getattr(self.inner, "_llm_type", "bound"))

    @property
    def model_name(self) -> str:
        """As the model calls itself."""
        inner: Any = self.inner
        while not isinstance(inner, BaseChatModel) and hasattr(inner, "bound"):
            inner = inner.bound
        names = (getattr(inner, name, None) for name in ("model_name", "model", "model_id"))
        return next((name for name in names if isinstance(name, str) and name), type(inner).__name__)

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> "DurableModel":
        return DurableModel(self.inner.bind_tools(tools, **kwargs), in_agent=self.in_agent)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        _only_awaited()
        return _result(self.inner.invoke(messages, stop=stop, **kwargs))

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        async def make() -> AIMessage:
            if recorder is not None and recorder.listens:
                return await self._heard(recorder, messages, stop, **kwargs)
            reply: AIMessage = await self.inner.ainvoke(messages, stop=stop, **kwargs)
            return reply

        recorder = recording()
        if recorder is None:
            return _result(await make())
        form = Replies(_write, AIMessage.model_validate, self._told)
        label = _above() if self.in_agent else _node()
        reply: AIMessage = await recorder.model(_said(messages), make, form, label, _instructions(messages))
        return _result(reply)

    async def _heard(
        self, recorder: Recorder, messages: list[BaseMessage], stop: list[str] | None, **kwargs: Any
    ) -> AIMessage:
        """A reply that is told live as it comes; of a model that cannot be streamed, as a whole."""
        whole: Any = None
        if hasattr(self.inner, "stream_usage"):  # else some models say nothing of their usage once they stream
            kwargs = {"stream_usage": True, **kwargs}
        async for piece in self.inner.astream(messages, stop=stop, **kwargs):
            recorder.hear(piece.text)
            for call in piece.tool_calls if isinstance(piece, AIMessage) else ():
                if call["name"]:
                    recorder.hear(call["name"], CALL)
            whole = piece if whole is None else whole + piece
        reply: Any = message_chunk_to_message(whole)
        told: AIMessage = reply
        return told

    def _told(self, reply: AIMessage) -> words.ModelResponse:
        parts: list[words.ModelResponsePart] = [words.TextPart(reply.text)] if reply.text else []
        parts += [words.ToolCallPart(call["name"], call["args"], call["id"] or "") for call in reply.tool_calls]
        of_provider = reply.response_metadata
        usage = reply.usage_metadata
        details: Mapping[str, Any] = usage.get("input_token_details", {}) if usage else {}
        reason = str(of_provider.get("finish_reason") or of_provider.get("stop_reason") or "")
        return words.ModelResponse(
            parts,
            usage=RequestUsage(unmeasured_requests=1)
            if not usage
            else RequestUsage(
                input_tokens=usage["input_tokens"],
                output_tokens=usage["output_tokens"],
                cache_read_tokens=details.get("cache_read") or 0,
                cache_write_tokens=details.get("cache_creation") or 0,
            ),
            model_name=str(of_provider.get("model_name") or of_provider.get("model") or self.model_name),
            provider_name=of_provider.get("model_provider"),
            finish_reason=_FINISHED.get(reason) or ("tool_call" if reply.tool_calls else "stop"),
        )


class Durable(AgentMiddleware[Any, Any, Any]):
    """Records an agent's calls of its model and its tools. Let it be the last in the list, next to the calls."""

    def wrap_model_call(self, request: Any, handler: Callable[[Any], Any]) -> Any:
        _only_awaited()
        return handler(request)

    async def awrap_model_call(self, request: Any, handler: Callable[[Any], Awaitable[Any]]) -> Any:
        if isinstance(request.model, DurableModel):
            return await handler(request)
        return await handler(request.override(model=DurableModel(request.model, in_agent=True)))

    def wrap_tool_call(self, request: Any, handler: Callable[[Any], Any]) -> Any:
        _only_awaited()
        return handler(request)

    async def awrap_tool_call(self, request: Any, handler: Callable[[Any], Awaitable[Any]]) -> Any:
        return await durable_tools(request, handler)


async def durable_tools(
    request: Any, execute: Callable[[Any], Awaitable[ToolMessage | Command[Any]]]
) -> ToolMessage | Command[Any]:
    """Records the calls of a ``ToolNode``: its ``awrap_tool_call``."""
    recorder = recording()
    if recorder is None:
        return await execute(request)
    call = request.tool_call
    form = Results(as_json, from_json, _returned)

    async def make() -> ToolMessage | Command[Any]:
        token = _outside.set(len(_names(_of_task())))
        try:
            return await execute(request)
        finally:
            _outside.reset(token)

    return await recorder.tool(call["name"], call["id"] or "", call["args"], make, form)


def _write(reply: AIMessage) -> Any:
    return reply.model_dump(mode="json", exclude_defaults=True)


def _result(reply: BaseMessage) -> ChatResult:
    return ChatResult(generations=[ChatGeneration(message=reply)])


def _returned(result: ToolMessage | Command[Any]) -> tuple[Any, Outcome]:
    if isinstance(result, ToolMessage):
        return result.content, "failed" if result.status == "error" else "success"
    messages = result.update.get("messages", []) if isinstance(result.update, dict) else []
    told = [message.content for message in messages if isinstance(message, ToolMessage)]
    return told[0] if len(told) == 1 else told, "success"


def _said(messages: Sequence[BaseMessage]) -> list[Any]:
    """What was said, without ids, what providers add, and what the model is told of how to behave."""
    return [
        [
            message.type,
            message.content,
            [[call["name"], call["args"], call["id"]] for call in getattr(message, "tool_calls", ())],
            getattr(message, "tool_call_id", None),
        ]
        for message in messages
        if not isinstance(message, SystemMessage)
    ]


def _instructions(messages: Sequence[BaseMessage]) -> str:
    """What the model is told of how to behave."""
    return "\n\n".join(message.text for message in messages if isinstance(message, SystemMessage))


def _node() -> str:
    """The node that a model is called in, through the graphs that it lies in; empty outside of a graph.

    Nodes run side by side, and one may run many times over what it was sent.
    """
    told = _of_task()
    names = _names(told)
    path: Sequence[Any] = told.get("langgraph_path") or ()
    if len(path) > 1 and path[0] == "__pregel_push":
        names.append(blake2b(repr((told.get("langgraph_step"), path)).encode(), digest_size=4).hexdigest())
    return "/".join(names)


def _above() -> str:
    """The node that an agent lies in, likewise; empty if it lies in none, or in one that a tool's call has a name for."""
    return "/".join(_names(_of_task())[_outside.get() : -1])


def _of_task() -> Mapping[str, Any]:
    """What LangGraph says of the task that is under way; nothing outside of a graph."""
    try:
        return get_config().get("metadata") or {}
    except RuntimeError:
        return {}


def _names(told: Mapping[str, Any]) -> list[str]:
    return [part.partition(":")[0] for part in str(told.get("langgraph_checkpoint_ns", "")).split("|") if part]


def _only_awaited() -> None:
    if recording() is not None:
        raise DeclarationError("in a step, LangChain's agents and graphs are awaited: ainvoke or astream")


class _Watch(AsyncCallbackHandler):
    """Sees to it that no model is called past the record."""

    raise_error = True
    run_inline = True

    async def on_chat_model_start(self, serialized: dict[str, Any], messages: Any, **kwargs: Any) -> None:
        name = (serialized.get("id") or [""])[-1]
        if name != DurableModel.__name__ and not making():
            raise NotDurable(
                f"the graph calls {name}, which is not durable: give create_agent middleware=[Durable()], or put "
                "DurableModel(model) in its place"
            )


class _Loop:
    def __init__(self, graph: Any, enter: Callable[[Prompt], Any], leave: Callable[[Any], Any]) -> None:
        self._graph, self._enter, self._leave = graph, enter, leave
        nodes = (getattr(node, "bound", None) for node in graph.nodes.values())
        self.tools = sorted({name for node in nodes for name in getattr(node, "tools_by_name", ())})

    async def begin(self, prompt: Prompt) -> Ended | Paused:
        return await self._run(self._enter(prompt), None)

    async def go_on(self, state: Any, decided: Sequence[Decided]) -> Ended | Paused:
        answers = {each.call: each for each in decided}
        resume = {each["id"]: _answer(each, answers) for each in state["interrupts"]}
        return await self._run(Command(resume=resume), state["checkpoints"])

    async def _run(self, entered: Any, before: Any) -> Ended | Paused:
        saver = await saver_with(before)
        config: Any = {**_THREAD, "callbacks": [_Watch()]}
        came: Any = await self._graph.copy({"checkpointer": saver}).ainvoke(entered, config)
        interrupts = came.get("__interrupt__", ()) if isinstance(came, Mapping) else ()
        if not interrupts:
            return Ended(self._leave(came))
        asked = [_asked(interrupt, came) for interrupt in interrupts]
        state = {"checkpoints": await kept(saver), "interrupts": [of for of, _ in asked]}
        return Paused(state, [wanted for _, each in asked for wanted in each])


def _asked(interrupt: Any, state: Mapping[str, Any]) -> tuple[dict[str, Any], list[Wanted]]:
    """What a pause asks of people, and how its answers are given to it."""
    match interrupt.value:
        case {"type": "tool_approval", "tool_call_id": str(call), "name": str(tool), "args": args}:
            return {"id": interrupt.id, "kind": "call", "calls": [call]}, [Wanted(call, tool, args)]
        case {"action_requests": [*requests]}:
            calls = _calls(requests, state)
            wanted = [Wanted(call, each["name"], each["args"]) for call, each in zip(calls, requests, strict=True)]
            return {"id": interrupt.id, "kind": "batch", "calls": calls}, wanted
        case value:
            asked = value if isinstance(value, dict) else {"value": value}
            return {"id": interrupt.id, "kind": "value", "calls": [interrupt.id]}, [
                Wanted(interrupt.id, "interrupt", asked)
            ]


def _calls(requests: Sequence[Any], state: Mapping[str, Any]) -> list[str]:
    """The ids of calls that are asked about: they stand in the last reply, in this order, perhaps among others."""
    last = next(message for message in reversed(state["messages"]) if isinstance(message, AIMessage))
    calls = list(last.tool_calls)
    found = []
    for each in requests:
        at = next(n for n, call in enumerate(calls) if (call["name"], call["args"]) == (each["name"], each["args"]))
        found.append(calls[at]["id"] or "")
        calls = calls[at + 1 :]
    return found


def _answer(interrupt: Mapping[str, Any], answers: Mapping[str, Decided]) -> Any:
    decided = [answers[call] for call in interrupt["calls"]]
    if interrupt["kind"] == "value":
        return {"approved": decided[0].approved, "why": decided[0].why}
    told = [{"type": "approve"} if each.approved else {"type": "reject", "message": each.why} for each in decided]
    return told[0] if interrupt["kind"] == "call" else {"decisions": told}


def said_by_user(prompt: Prompt) -> Any:
    """How a prompt enters a graph of messages."""
    return {"messages": [HumanMessage(prompt)]}


def last_said(state: Any) -> Any:
    """What a graph of messages ends with: its structured response, if it has one, or the text of the last message."""
    return state.get("structured_response") or state["messages"][-1].text


def adapt(
    name: str,
    graph: Any,
    *,
    takes: Any,
    gives: Any,
    enter: Callable[[Prompt], Any] = said_by_user,
    leave: Callable[[Any], Any] = last_said,
    **options: Unpack[Options],
) -> Adapted:
    """An agent of LangChain, or a compiled graph of LangGraph, to be served as one of our own.

    Args:
        graph: durable by its middleware or its models and tools. It needs no checkpointer: where it is interrupted,
            what it goes on from is recorded. An interrupt of ``HumanInTheLoopMiddleware`` asks a person about each call;
            any other about its value, and is resumed with ``{"approved": bool, "why": str}``.
        takes, gives: as of `farandole.agents.Agent`.
        enter: from the prompt to the graph's input.
        leave: from the graph's last state to what the event is made of.
        options: of legs and approvals.

    Raises:
        DeclarationError: something of it cannot be.
    """
    loop = _Loop(graph, enter, leave)
    return Adapted(name, loop, takes=takes, gives=gives, **options)
