"""What follows from a reply: the agent's event, calls of tools, or another request."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from pydantic_ai.exceptions import ModelRetry
from pydantic_ai.messages import ModelMessagesTypeAdapter, ModelResponse, ToolCallPart
from pydantic_core import from_json

from .approval import approval_for
from .conversations import as_recorded
from .events import ModelReplied, ModelRequested, ToolReturned
from .guards import guarded
from .outputs import Unfit, described, given, unfit

if TYPE_CHECKING:
    from .agent import Agent

_CUT_OFF = "Your reply was cut off, for it was too long. Be shorter."


def replier(agent: "Agent") -> Any:
    """The reactor that reads a reply."""
    where = f"agent {agent.name}"

    async def handle(replied: ModelReplied) -> Any:
        (message,) = ModelMessagesTypeAdapter.validate_python([replied.message])
        if not isinstance(message, ModelResponse):
            raise TypeError(f"{where}: what is recorded as a reply is {type(message).__name__}")
        if replied.finish_reason == "content_filter":
            return _again(agent, replied, (), refused=True)
        if replied.finish_reason == "length" and not message.tool_calls:
            return _again(agent, replied, unfit(message, agent.ways, _CUT_OFF).parts, corrects=True)
        event = given(agent.ways, message)
        if event is None:
            return [_call(agent, replied, call) for call in message.tool_calls]
        if not isinstance(event, Unfit):
            try:
                return await guarded(agent.after, event, agent.gives, where) or event
            except ModelRetry as e:
                event = unfit(message, agent.ways, e.message)
        return _again(agent, replied, event.parts, corrects=True)

    return handle


def turner(agent: "Agent") -> Any:
    """The reactor that goes on once all calls of a turn have returned."""

    async def handle(returned: list[ToolReturned]) -> ModelRequested | None:
        if not returned:  # a tool was retired, and what it owed was dropped
            return None
        of = returned[0]
        corrects = all(each.outcome == "retried" for each in returned)
        return agent.events.ModelRequested(
            agent=agent.name, conversation=of.conversation, turn=of.turn + 1, parts=[], corrects=corrects
        )

    return handle


def _again(
    agent: "Agent", replied: ModelReplied, parts: Sequence[Any], *, corrects: bool = False, refused: bool = False
) -> ModelRequested:
    return agent.events.ModelRequested(
        agent=agent.name,
        conversation=replied.conversation,
        turn=replied.turn + 1,
        parts=as_recorded(parts),
        corrects=corrects,
        refused=refused,
    )


def _call(agent: "Agent", replied: ModelReplied, call: ToolCallPart) -> Any:
    """What a call of a tool begins: its execution, a question, or at once its return if it cannot be called so."""
    told: dict[str, Any] = {
        "agent": agent.name,
        "conversation": replied.conversation,
        "turn": replied.turn,
        "call": call.tool_call_id,
        "tool": call.tool_name,
    }
    events, tool = agent.events, agent.tool(call.tool_name)
    if tool is None:
        known = ", ".join(agent.tools)
        return events.ToolReturned(**told, content=f"There is no such tool. There are: {known}", outcome="retried")
    try:
        tool.arguments(call.args)
        args = from_json(call.args or "{}") if isinstance(call.args, str) else call.args or {}
        if approval_for(tool.needs(call.tool_name), args) is not None:
            return events.ToolProposed(**told, args=args)
    except ValidationError as e:
        return events.ToolReturned(**told, content=described(e), outcome="retried")
    return events.called[tool.name](**told, args=args)
