"""Calls that a person must allow: the question, and what follows from the answer."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from farandole.reactors import Ask

from .approval import Approval, approval_for, ask
from .events import ToolApproved, ToolCalled, ToolDenied, ToolProposed
from .eventtypes import AgentEvents
from .turning import CallOf, return_of

if TYPE_CHECKING:
    from .agent import Agent

_OF_CALL: Final = set(CallOf._fields)


def asker(agent: "Agent") -> Any:
    """The reactor that asks."""
    events = agent.events

    async def handle(proposed: ToolProposed) -> Ask[ToolApproved | ToolDenied]:
        # Proposed is proposed: if the tool asks no longer, because it was changed meanwhile, a person is asked still.
        tool = agent.tool(proposed.tool)
        approval = None if tool is None else approval_for(tool.needs(proposed.tool), proposed.args)
        return ask(approval or Approval(), proposed, events.ToolApproved, events.ToolDenied)

    return handle


def decider(events: AgentEvents, called_by: Callable[[str], type[ToolCalled] | None]) -> Any:
    """The reactor that does what was decided, with the arguments that were asked about.

    Args:
        called_by: from a tool to what calls it; None if there is no such tool any longer.
    """

    async def handle(answer: ToolApproved | ToolDenied, proposed: ToolProposed) -> Any:
        called = called_by(proposed.tool)
        if isinstance(answer, ToolApproved) and called is not None:
            return called(**proposed.model_dump(include=_OF_CALL), args=proposed.args)
        who = f" by {answer.by}" if answer.by else ""
        why = f": {answer.comment}" if answer.comment else "."
        return return_of(events, proposed, f"The call was denied{who}{why}", "denied")

    return handle
