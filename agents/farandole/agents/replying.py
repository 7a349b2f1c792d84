"""What follows from a reply: the agent's event, calls of tools, or another request.

It follows in the outcome that holds the reply. What is not ours to do there is left to a step of its own, with the reply in
the log, so that it costs no second call of the model: guards, which may wait, and whatever fails.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from pydantic import ValidationError
from pydantic_ai.exceptions import ModelRetry
from pydantic_ai.messages import ModelResponse, ToolCallPart
from pydantic_core import from_json

from farandole.schemas import Event

from .approval import approval_for
from .conversations import Conversations, as_recorded
from .events import ModelReplied, ModelRequested, ReplyDeferred
from .guards import guarded
from .made import listed, placed, union
from .outputs import Unfit, described, given, unfit, untaken
from .tools import as_json
from .turning import CallOf, return_of

if TYPE_CHECKING:
    from .agent import Agent

Following: TypeAlias = tuple[Event, ...] | list[Event]
"""What follows: a list of what calls begin, if there are several, else a tuple."""

_CUT_OFF = "Your reply was cut off, for it was too long. Be shorter."


def with_reply(agent: "Agent") -> Any:
    """What the step that calls the model returns, as an annotation."""
    events, begun = agent.events, _begun(agent)
    found = placed(events.ModelReplied, union((events.ModelRequested, events.ReplyDeferred, *agent.gives, *begun)))
    if not begun:
        return found
    several = listed(union((events.ModelReplied, events.ToolReturned, *begun)))
    return union((found, placed(events.ModelReplied, events.ToolReturned, events.ModelRequested), several))


def without_reply(agent: "Agent") -> Any:
    """What the step that reads a reply later returns, as an annotation."""
    events, begun = agent.events, _begun(agent)
    found = union((events.ModelRequested, *agent.gives, *begun))
    if not begun:
        return found
    several = listed(union((events.ToolReturned, *begun)))
    return union((found, placed(events.ToolReturned, events.ModelRequested), several))


def replied_with(agent: "Agent", replied: ModelReplied, response: ModelResponse) -> Following:
    """A reply and what follows from it."""
    try:
        found = _following(agent, replied, response)
    except Exception:  # of a validator, say: it is raised again where the reply is not lost with it
        return replied, _deferred(agent, replied)
    if isinstance(found, list):
        return [replied, *found]
    if agent.after and isinstance(found[0], agent.gives):
        return replied, _deferred(agent, replied)
    return replied, *found


def replier(agent: "Agent") -> Any:
    """The reactor that reads a reply which the step that got it has left to it."""
    where = f"agent {agent.name}"

    async def handle(deferred: ReplyDeferred, state: Conversations) -> Any:
        response = state.talks[deferred.conversation].messages[-1]
        if not isinstance(response, ModelResponse):
            raise TypeError(f"{where}: what is recorded as a reply is {type(response).__name__}")
        found = _following(agent, deferred, response)
        if isinstance(found, tuple) and isinstance(event := found[0], agent.gives):
            try:
                return await guarded(agent.after, event, agent.gives, where) or event
            except ModelRetry as e:
                return _again(agent, deferred, unfit(response, agent.ways, e.message).parts, corrects=True)
        return found[0] if isinstance(found, tuple) and len(found) == 1 else found

    return handle


def _following(agent: "Agent", turn: ModelReplied | ReplyDeferred, response: ModelResponse) -> Following:
    """What follows from a reply, if no guard objects."""
    if response.finish_reason == "content_filter":
        return (_again(agent, turn, (), refused=True),)
    if response.finish_reason == "length" and not response.tool_calls:
        return (_again(agent, turn, unfit(response, agent.ways, _CUT_OFF).parts, corrects=True),)
    event = given(agent.ways, response)
    if isinstance(event, Unfit):
        return (_again(agent, turn, event.parts, corrects=True),)
    if event is not None:
        return (event,)
    if not agent.tools:
        return (_again(agent, turn, untaken(response).parts, corrects=True),)
    alone = len(response.tool_calls) == 1
    calls = [_call(agent, turn, call, alone) for call in response.tool_calls]
    if not alone:
        return calls
    return calls[0] if isinstance(calls[0], tuple) else (calls[0],)


def _again(
    agent: "Agent",
    turn: ModelReplied | ReplyDeferred,
    parts: Sequence[Any],
    *,
    corrects: bool = False,
    refused: bool = False,
) -> ModelRequested:
    return agent.events.ModelRequested(
        agent=agent.name,
        conversation=turn.conversation,
        turn=turn.turn + 1,
        parts=as_recorded(parts),
        corrects=corrects,
        refused=refused,
    )


def _deferred(agent: "Agent", replied: ModelReplied) -> ReplyDeferred:
    return agent.events.ReplyDeferred(agent=agent.name, conversation=replied.conversation, turn=replied.turn)


def _call(agent: "Agent", turn: ModelReplied | ReplyDeferred, call: ToolCallPart, alone: bool) -> Any:
    """What a call of a tool begins: its execution, a question, or at once its return if it cannot be called so."""
    events, tool = agent.events, agent.tool(call.tool_name)
    of = CallOf(agent.name, turn.conversation, turn.turn, call.tool_call_id, call.tool_name, alone)
    if tool is None:
        known = ", ".join(agent.tools)
        return return_of(events, of, f"There is no such tool. There are: {known}", "retried")
    try:
        tool.arguments(call.args)
        args = from_json(as_json(call.args))
        if approval_for(tool.needs(call.tool_name), args) is not None:
            return events.ToolProposed(**of._asdict(), args=args)
    except ValidationError as e:
        return return_of(events, of, described(e), "retried")
    return events.called[tool.name](**of._asdict(), args=args)


def _begun(agent: "Agent") -> Sequence[Any]:
    """What calls of its tools may begin, besides their return."""
    proposed = (agent.events.ToolProposed,) if any(tool.asks for tool in agent.tools.values()) else ()
    return (*agent.events.called.values(), *proposed)
