"""The event classes of one agent."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import ClassVar

from farandole.schemas import DeclarationError, Mark

from . import events, made


class AgentEvents:
    """The event classes of one agent, in whichever choreographies it is served.

    Args:
        mark: what is said in them bears this one.

    Attributes:
        ModelRequested, ModelReplied, ReplyDeferred, ToolProposed, ToolApproved, ToolDenied, ToolReturned: its own, of the
            bases of these names.
        called: what each of its tools is called by, by the name of the tool.
    """

    bases: ClassVar[tuple[type[events.ModelReplied], type[events.ToolProposed], type[events.ToolReturned]]] = (
        events.ModelReplied,
        events.ToolProposed,
        events.ToolReturned,
    )

    wants_reactor: ClassVar[bool] = True
    """Whether a request is to be taken; else it tells of a call that was made, and what is taken is the reply."""

    def __init__(self, agent: str, tools: Iterable[str], module: str, mark: Mark | None = None) -> None:
        replied, proposed, returned = self.bases
        first, owner = made.camel(agent), f"agent {agent}"
        self.ModelRequested = made.event(
            events.ModelRequested, f"{first}ModelRequested", module, owner, mark, wants_reactor=self.wants_reactor
        )
        self.ModelReplied = made.event(
            replied, f"{first}ModelReplied", module, owner, mark, wants_reactor=not self.wants_reactor
        )
        self.ReplyDeferred = made.event(events.ReplyDeferred, f"{first}ReplyDeferred", module, owner, mark)
        self.ToolProposed = made.event(proposed, f"{first}ToolProposed", module, owner, mark)
        self.ToolApproved = made.event(events.ToolApproved, f"{first}ToolApproved", module, owner, mark)
        self.ToolDenied = made.event(events.ToolDenied, f"{first}ToolDenied", module, owner, mark)
        self.ToolReturned = made.event(returned, f"{first}ToolReturned", module, owner, mark)
        called: dict[str, type[events.ToolCalled]] = {}
        for tool in tools:
            name = f"{first}{made.camel(tool)}Called"
            if any(known.__name__ == name for known in called.values()):
                raise DeclarationError(f"agent {agent}: two tools are called by {name}; give one of them name=")
            called[tool] = made.event(events.ToolCalled, name, module, owner, mark)
        self.called: Mapping[str, type[events.ToolCalled]] = MappingProxyType(called)
