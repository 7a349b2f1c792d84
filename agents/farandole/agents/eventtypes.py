"""The event classes of one agent."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from farandole.schemas import DeclarationError, Mark

from . import events, made


class AgentEvents:
    """The event classes of one agent, in whichever choreographies it is served.

    Args:
        mark: what is said in them bears this one.

    Attributes:
        ModelRequested, ModelReplied, ToolProposed, ToolApproved, ToolDenied, ToolReturned: its own, of the bases of
            these names.
        called: what each of its tools is called by, by the name of the tool.
    """

    def __init__(self, agent: str, tools: Iterable[str], module: str, mark: Mark | None = None) -> None:
        first, owner = made.camel(agent), f"agent {agent}"
        self.ModelRequested = made.event(events.ModelRequested, f"{first}ModelRequested", module, owner, mark)
        self.ModelReplied = made.event(events.ModelReplied, f"{first}ModelReplied", module, owner, mark)
        self.ToolProposed = made.event(events.ToolProposed, f"{first}ToolProposed", module, owner, mark)
        self.ToolApproved = made.event(events.ToolApproved, f"{first}ToolApproved", module, owner, mark)
        self.ToolDenied = made.event(events.ToolDenied, f"{first}ToolDenied", module, owner, mark)
        self.ToolReturned = made.event(events.ToolReturned, f"{first}ToolReturned", module, owner, mark)
        called: dict[str, type[events.ToolCalled]] = {}
        for tool in tools:
            name = f"{first}{made.camel(tool)}Called"
            if any(known.__name__ == name for known in called.values()):
                raise DeclarationError(f"agent {agent}: two tools are called by {name}; give one of them name=")
            called[tool] = made.event(events.ToolCalled, name, module, owner, mark)
        self.called: Mapping[str, type[events.ToolCalled]] = MappingProxyType(called)
