"""Pydantic AI: a capability of its own kind, `BaseDurabilityCapability`, whose durable units are sub-steps.

``Agent("openai:gpt-5", name="helper", tools=[...], capabilities=[Durability()])``, run within `durably`. Elsewhere the
agent runs as if the capability were not there.
"""

from collections.abc import Callable, Sequence
from typing import Any, Literal

from pydantic_ai import Agent, DeferredToolRequests, DeferredToolResults, ToolDenied
from pydantic_ai.durable_exec import (
    JSON_CODEC,
    BaseDurabilityCapability,
    BoundDurableOperation,
    CapabilityOperationId,
    CapabilityOperationParams,
    DurabilityEngineSpec,
    DurableOperation,
    DurableOperationBackend,
    DynamicToolsetCallToolParams,
    ModelCompactMessagesParams,
    ModelRequestParams,
    ToolsetCallToolId,
    ToolsetCallToolParams,
)
from pydantic_ai.messages import ModelMessage, ModelMessagesTypeAdapter, ModelRequest, ModelResponse
from pydantic_ai.models import Model
from pydantic_core import to_jsonable_python
from typing_extensions import Unpack

from farandole.agents.events import Outcome
from farandole.agents.streaming import can_stream, said_in
from farandole.reactors import GiveUp
from farandole.schemas import DeclarationError

from .adapted import Adapted, Decided, Ended, Options, Paused, Prompt, Wanted
from .calls import Replies, Results
from .recording import recording

_OUTCOMES: dict[str, Outcome] = {
    "tool_return": "success",
    "tool_content_result": "success",
    "model_retry": "retried",
    "validation_error": "retried",
    "tool_failed": "failed",
}
"""Of the results that end a call. Any other says that it goes on elsewhere: a person is asked, or it was cancelled."""


class Durability(BaseDurabilityCapability[Any]):
    """Makes an agent's calls of models, tools and MCP servers sub-steps of the step that it runs in.

    The agent needs a name, and each of its toolsets an id, as for all of Pydantic AI's durability.
    """

    engine_spec = DurabilityEngineSpec(
        engine_name="Farandole",
        durable_unit_noun="sub-step",
        durable_container_noun="step",
        codec=JSON_CODEC,
        toolset_lifecycles={"function": "enter-always", "mcp": "enter-in-durable-unit", "dynamic": "enter-never"},
    )

    @property
    def in_durable_context(self) -> bool:
        return recording() is not None

    def _effective_event_stream_handler(self) -> Any:
        own, recorder = super()._effective_event_stream_handler(), recording()
        return _hear if own is None and recorder is not None and recorder.listens else own

    def get_durable_operation_backend(self) -> DurableOperationBackend[None]:
        return _Backend()


async def _hear(context: Any, events: Any) -> None:
    """What a model says, told live."""
    recorder = recording()
    async for event in events:
        if recorder is not None and (said := said_in(event)) is not None:
            recorder.hear(*said)


class _Backend(DurableOperationBackend[None]):
    def bind(self, operation: DurableOperation[Any, Any, Any]) -> BoundDurableOperation[Any, Any, Any]:
        return _Recorded(operation)

    def config_for_tool(
        self, operation: DurableOperation[Any, Any, Any], *, tool: object | None, tool_name: str
    ) -> Literal[False] | None:
        return None

    def registrations(self) -> Sequence[Callable[..., object]]:
        return ()


class _Recorded(BoundDurableOperation[Any, Any, Any]):
    """An operation that is recorded if it has an effect. What only looks, at which tools there are, say, is not."""

    def __init__(self, operation: DurableOperation[Any, Any, Any]) -> None:
        self._operation = operation

    @property
    def operation(self) -> DurableOperation[Any, Any, Any]:
        return self._operation

    async def __call__(self, params: Any, *, config: object | None = None) -> Any:
        operation, recorder = self._operation, recording()
        if recorder is None:
            return await operation.handler(params)
        match params:
            case ModelRequestParams(messages=messages):
                said, told = _said(messages), _instructions(messages)
                return await recorder.model(said, lambda: operation.handler(params), self._replies(), instructions=told)
            case ModelCompactMessagesParams(request_context=context):
                said = _said(context.messages)
                return await recorder.model(said, lambda: operation.handler(params), self._replies(), "compacting")
            case ToolsetCallToolParams() | DynamicToolsetCallToolParams() if isinstance(
                operation.operation_id, ToolsetCallToolId
            ):
                return await self._tool(params.name, params.ctx.tool_call_id or "", params.tool_args, params)
            case CapabilityOperationParams() if isinstance(of := operation.operation_id, CapabilityOperationId):
                return await recorder.tool(
                    f"{of.capability_id}.{of.operation}", "", None, lambda: operation.handler(params), self._results()
                )
            case _:
                return await operation.handler(params)

    async def _tool(self, name: str, call: str, args: Any, params: Any) -> Any:
        recorder = recording()
        assert recorder is not None

        async def make() -> Any:
            result = await self._operation.handler(params)
            if getattr(result, "kind", "") not in _OUTCOMES:
                raise _GoesOn(result)
            return result

        try:
            return await recorder.tool(name, call, to_jsonable_python(args, fallback=str), make, self._calls())
        except _GoesOn as e:
            return e.result

    def _replies(self) -> Replies[Any]:
        codec = self._operation.result_codec
        return Replies(codec.dump, codec.load, lambda reply: reply)

    def _calls(self) -> Results[Any]:
        codec = self._operation.result_codec
        return Results(codec.dump, codec.load, _returned)

    def _results(self) -> Results[Any]:
        codec = self._operation.result_codec
        return Results(codec.dump, codec.load, lambda result: (codec.dump(result), "success"))


class _GoesOn(Exception):  # no error: it keeps from the record what has not ended
    def __init__(self, result: Any) -> None:
        self.result = result


def _returned(result: Any) -> tuple[Any, Outcome]:
    outcome = _OUTCOMES[result.kind]
    if outcome != "success":
        told = getattr(result, "message", None) or getattr(result, "title", "")
        return told, outcome
    value = result.result
    return to_jsonable_python(getattr(value, "return_value", value), fallback=str), outcome


def _said(messages: Sequence[ModelMessage]) -> list[Any]:
    """What was said, without times, ids of runs, what providers add, and what the model is told of how to behave."""
    return [
        [message.kind, *(_part(part) for part in message.parts if part.part_kind != "system-prompt")]
        for message in messages
        if isinstance(message, ModelRequest | ModelResponse)
    ]


def _instructions(messages: Sequence[ModelMessage]) -> str:
    """What the model is told of how to behave."""
    requests = [message for message in messages if isinstance(message, ModelRequest)]
    prompts = [str(part.content) for each in requests for part in each.parts if part.part_kind == "system-prompt"]
    return "\n\n".join([*prompts, *[each.instructions for each in requests[-1:] if each.instructions]])


def _part(part: Any) -> list[Any]:
    told = ("tool_name", "args", "content", "tool_call_id")
    return [part.part_kind, *(getattr(part, name, None) for name in told)]


class _Loop:
    def __init__(self, agent: Agent[Any, Any], deps: Any) -> None:
        self._agent, self._deps = agent, deps
        self.tools = [
            name
            for toolset in agent.toolsets
            for name in getattr(toolset, "tools", {})
        ]  # fmt: skip

    async def begin(self, prompt: Prompt) -> Ended | Paused:
        self._listen()
        return self._came(await self._agent.run(prompt, deps=self._deps, output_type=self._ways()))

    async def go_on(self, state: Any, decided: Sequence[Decided]) -> Ended | Paused:
        results = DeferredToolResults(
            approvals={each.call: True if each.approved else ToolDenied(each.why) for each in decided}
        )
        self._listen()
        history = ModelMessagesTypeAdapter.validate_python(state)
        ran = await self._agent.run(
            message_history=history, deferred_tool_results=results, deps=self._deps, output_type=self._ways()
        )
        return self._came(ran)

    def _listen(self) -> None:
        recorder, model = recording(), self._agent.model
        if recorder is not None and isinstance(model, Model) and not can_stream(model):
            recorder.live = False

    def _ways(self) -> Any:
        return [self._agent.output_type, DeferredToolRequests]

    def _came(self, ran: Any) -> Ended | Paused:
        if not isinstance(ran.output, DeferredToolRequests):
            return Ended(ran.output)
        if ran.output.calls:
            names = ", ".join(sorted({call.tool_name for call in ran.output.calls}))
            raise GiveUp(
                f"the agent waits for results of {names}, which come from elsewhere, and nothing here brings them: let "
                "the tool wait for them itself, or ask a person with requires_approval"
            )
        wanted = [Wanted(call.tool_call_id, call.tool_name, call.args_as_dict()) for call in ran.output.approvals]
        return Paused(ModelMessagesTypeAdapter.dump_python(ran.all_messages(), mode="json"), wanted)


def adapt(
    name: str,
    agent: Agent[Any, Any],
    *,
    takes: Any,
    gives: Any,
    deps: Any = None,
    **options: Unpack[Options],
) -> Adapted:
    """An agent of Pydantic AI, to be served as one of our own.

    Args:
        agent: with `Durability` among its capabilities. Its tools with ``requires_approval`` ask a person.
        takes, gives: as of `farandole.agents.Agent`. What it gives is made of the agent's output.
        options: of legs and approvals.

    Raises:
        DeclarationError: something of it cannot be, or the agent is not durable.
    """
    if Durability.from_agent(agent) is None:
        raise DeclarationError(f"agent {name}: give Pydantic AI's agent capabilities=[Durability()]")
    return Adapted(name, _Loop(agent, deps), takes=takes, gives=gives, **options)
