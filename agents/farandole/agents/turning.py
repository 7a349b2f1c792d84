"""From what calls of tools came to, to the next request.

A reply that calls one tool goes on where that call ends: its return and the request stand in one outcome. Where several
are called, a fan-in waits for all of them.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from .events import ModelRequested, Outcome, ToolCalled, ToolProposed, ToolReturned
from .eventtypes import AgentEvents
from .large import Kept
from .made import placed

if TYPE_CHECKING:
    from .agent import Agent

Returning: TypeAlias = ToolReturned | tuple[ToolReturned, ModelRequested]
"""What became of a call, with the next request if it is alone."""


class CallOf(NamedTuple):
    """A call of a reply: what all events about it hold. See `ToolCalled`."""

    agent: str
    conversation: str
    turn: int
    call: str
    tool: str
    alone: bool


def returning(events: AgentEvents) -> Any:
    """`Returning` of one agent, as an annotation."""
    return events.ToolReturned | placed(events.ToolReturned, events.ModelRequested)


def return_of(
    events: AgentEvents,
    call: ToolCalled | ToolProposed | CallOf,
    content: Any,
    outcome: Outcome,
    took_ms: int = 0,
    kept: Kept | None = None,
) -> Returning:
    """What became of a call.

    Args:
        kept: where the whole of the content is, if it is large.
    """
    returned = events.ToolReturned(
        agent=call.agent,
        conversation=call.conversation,
        turn=call.turn,
        call=call.call,
        tool=call.tool,
        content=content,
        outcome=outcome,
        took_ms=took_ms,
        kept=kept,
    )
    return (returned, next_request(events, (returned,))) if call.alone else returned


def next_request(events: AgentEvents, returned: Sequence[ToolReturned]) -> ModelRequested:
    """The request that tells the model what all calls of a turn came to."""
    of = returned[0]
    corrects = all(each.outcome == "retried" for each in returned)
    return events.ModelRequested(
        agent=of.agent, conversation=of.conversation, turn=of.turn + 1, parts=[], corrects=corrects
    )


def turner(agent: "Agent") -> Any:
    """The reactor that goes on once all of several calls have returned."""

    async def handle(returned: list[ToolReturned]) -> ModelRequested | None:
        if not returned:  # a tool was retired, and what it owed was dropped
            return None
        return next_request(agent.events, returned)

    return handle
