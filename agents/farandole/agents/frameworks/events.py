"""The events of an agent of another framework: those of our own, and what its loop goes on from."""

from collections.abc import Iterable
from typing import Annotated, Final

from farandole.agents import events
from farandole.agents.eventtypes import AgentEvents
from farandole.agents.large import Kept
from farandole.schemas import Json, Mark, Used

_ANY: Final = "tool"
"""Stands for tools that nobody knew when the agent was declared, such as those of an MCP server."""


class ModelReplied(events.ModelReplied, abstract=True):
    """The model has replied: one call, as it is billed."""

    output: Json = None
    """In the last reply of all: which event the agent gives, and its fields."""
    counted: Annotated[bool, Used.elsewhere] = False
    """Whether what it used is counted by the record of the call, which stands in the log before the leg has ended."""


class ToolReturned(events.ToolReturned, abstract=True):
    """What became of a call."""

    output: Json = None
    """If the agent ended with this call: which event it gives, and its fields."""


class ToolProposed(events.ToolProposed, abstract=True):
    """The model wants to call a tool that only a person may allow."""

    leg: str = ""
    """Tells those that wait together from others of the conversation."""
    state: Json = None
    """What the framework goes on from; in the first of those that wait together."""
    state_kept: Kept | None = None
    """Where that is, if it is large."""


class AdaptedEvents(AgentEvents):
    """The event classes of one agent of another framework.

    Args:
        mark: what is said in them bears this one.
    """

    bases = (ModelReplied, ToolProposed, ToolReturned)
    wants_reactor = False

    def __init__(self, agent: str, tools: Iterable[str], module: str, mark: Mark | None = None) -> None:
        super().__init__(agent, dict.fromkeys([*tools, _ANY]), module, mark)

    def called_by(self, tool: str) -> type[events.ToolCalled]:
        """What a call of a tool is told by."""
        return self.called.get(tool) or self.called[_ANY]
