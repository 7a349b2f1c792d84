"""`Agent`: what an agent is, as data. `Agent.serve` makes reactors of it."""

import re
import sys
import types
import typing
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, Final, TypeAlias

from pydantic_ai.messages import ModelResponse, UserContent
from pydantic_ai.models import Model
from pydantic_ai.settings import ModelSettings

from farandole.reactors import Choreography
from farandole.schemas import DeclarationError, Duration, Event, Mark, Personal, event_info

from .budget import Budget
from .context import ContextPolicy, everything
from .eventtypes import AgentEvents
from .found import FoundTool
from .guards import Guard
from .large import Large
from .marking import mark_of, strictest
from .outputs import Ways, ways_out
from .prompts import prompt_of
from .remembering import Remembering, memory_tools
from .retries import Retries
from .servers import McpServer
from .serving import Served, serve
from .tools import RunTool, Tool, tool_of

Prompt: TypeAlias = str | Sequence[UserContent]

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_TURNS: Final = 20


class Agent:
    """Takes an event, lets a model call tools, and gives an event that the model makes.

    It is data, and does nothing before it is served. Several services may import it; each serves those that are its own.

    Args:
        name: begins the names of its reactors and, in capitals, those of its events.
        takes: what it reacts to, as it would stand in a reactor's signature: an event, a union, ``list[...]``.
        gives: what it may return: an event, or a union of them, of which the model chooses one. The docstrings tell the
            model what they are for. One that another agent takes hands over to it.
        model: as Pydantic AI names it, ``"openai:gpt-5"``, or one of its models.
        instructions: what the model is told first; or a function of what the agent takes.
        prompt: what the model is told of what the agent takes; by default its text if it has one field, a text, else
            its fields as JSON.
        tools: functions, `Tool`, `RunTool` for a run, such as another agent's, `FoundTool` for one that is only known by the
            contracts in its log, or `McpServer` for all that it has.
        turns: how many calls of the model a conversation may have.
        budget: what it may spend in one run.
        retries: how often the model is called again, by what went wrong.
        timeout: of one call of the model.
        before: guards of what it takes.
        after: guards of what it gives.
        context: how much of a long conversation the model is sent.
        continues: an agent of the same run whose conversation it goes on with, ``"self"`` for its own earlier one.
        memory: what it remembers across runs.
        large: where what is large is kept, of what tools return and the agent is told; by default all is in the log.
        price: what a reply costs in US dollars; by default as Pydantic AI knows it.
        settings: for the model.
        each, within: of a fan-in that it takes, as in ``@reactor``.
        concurrency: calls of the model at once in one worker.
        stream: show what the model says while it says it, if it can; what is recorded is the same.

    Raises:
        DeclarationError: something of it cannot be.
    """

    def __init__(
        self,
        name: str,
        *,
        takes: Any,
        gives: Any,
        model: Model | str,
        instructions: str | Callable[[Any], str] = "",
        prompt: Callable[[Any], Prompt] = prompt_of,
        tools: Sequence[Tool | RunTool | FoundTool | McpServer | Callable[..., Any]] = (),
        turns: int = _TURNS,
        budget: Budget | None = None,
        retries: Retries | None = None,
        timeout: Duration = "10m",
        before: Sequence[Guard] = (),
        after: Sequence[Guard] = (),
        context: ContextPolicy = everything,
        continues: "Agent | str | None" = None,
        memory: Remembering | None = None,
        large: Large | None = None,
        price: Callable[[ModelResponse], Decimal | None] | None = None,
        settings: ModelSettings | None = None,
        each: type[Event] | None = None,
        within: Duration | None = None,
        concurrency: int = 100,
        stream: bool = True,
    ) -> None:
        if not _NAME.fullmatch(name):
            raise DeclarationError(f"agent {name!r}: a name is of small letters, digits and _, 40 at most")
        if turns < 1:
            raise DeclarationError(f"agent {name}: turns={turns}: the model is called once at least")
        if isinstance(continues, str) and continues != "self":
            raise DeclarationError(f"agent {name}: continues={continues!r} is neither an agent nor 'self'")
        self.name = name
        self.module: str = sys._getframe(1).f_globals.get("__name__", "")
        self.takes = takes
        self.gives = events_of(gives, name)
        self.model = model
        self.instructions = instructions
        self.prompt = prompt
        every = [*(each if isinstance(each, McpServer) else tool_of(each) for each in tools), *memory_tools(memory)]
        self.tools: dict[str, Tool | RunTool | FoundTool | McpServer] = {tool.name: tool for tool in every}
        if len(self.tools) < len(every):
            raise DeclarationError(f"agent {name}: two tools have one name; give one of them name=")
        self.turns = turns
        self.budget = budget
        self.retries = retries or Retries()
        self.timeout = timeout
        self.before = tuple(before)
        self.after = tuple(after)
        self.context = context
        self.continues = continues
        self.memory = memory
        self.large = large
        self.price = price
        self.settings = settings
        self.each = each
        self.within = within
        self.concurrency = concurrency
        self.stream = stream
        self.mark = self._mark()
        self.served: list[Choreography] = []
        self.ways: Ways = ways_out(self.gives)
        for tool in self.tools:
            if tool in self.ways.by_tool:
                raise DeclarationError(f"agent {name}: tool {tool} has the name of a way out; give it name=")
        self.events = AgentEvents(name, self.tools, self.module, self.mark)

    def serve(self, choreography: Choreography) -> Served:
        """Put it into a service: declare its reactors, as ``@reactor`` would, and a provider for its model.

        Raises:
            DeclarationError: a name is taken, or what it takes cannot be taken.
        """
        served = serve(self, choreography)
        self.served.append(choreography)
        return served

    def _mark(self) -> Mark | None:
        """That of all that the model is told, wherever it comes from."""
        runs = [each for tool in self.tools.values() if isinstance(tool, RunTool) for each in (tool.start, tool.end)]
        # What is remembered is personal, and so may be what a run gives of which nobody knows yet what it is.
        unknown = self.memory is not None or any(isinstance(tool, FoundTool) for tool in self.tools.values())
        before = self.continues.mark if isinstance(self.continues, Agent) else None
        return strictest((mark_of(self.takes, *self.gives, *runs), before, Personal if unknown else None))

    @property
    def servers(self) -> Sequence[McpServer]:
        """The MCP servers among its tools."""
        return [tool for tool in self.tools.values() if isinstance(tool, McpServer)]

    def tool(self, called: str) -> Tool | RunTool | FoundTool | McpServer | None:
        """The tool that a model calls so; None if there is none. Of a server, the server."""
        found = self.tools.get(called)
        if found is not None and not isinstance(found, McpServer):
            return found
        return next((server for server in self.servers if server.tool(called) is not None), None)

    def __repr__(self) -> str:
        return f"<agent {self.name}>"


def events_of(gives: Any, name: str) -> tuple[type[Event], ...]:
    """The events that an agent gives.

    Raises:
        DeclarationError: something among them is no event that a reactor can return.
    """
    is_union = typing.get_origin(gives) in (typing.Union, types.UnionType)
    found = typing.get_args(gives) if is_union else (gives,)
    for event in found:
        if not (isinstance(event, type) and issubclass(event, Event)):
            raise DeclarationError(f"agent {name}: gives {event!r}, which is no event")
        info = event_info(event)
        if info.abstract or info.kind not in ("event", "end"):
            raise DeclarationError(f"agent {name}: gives {event.__name__}; a reactor can return an Event or an End")
    return tuple(found)
