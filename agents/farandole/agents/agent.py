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
from farandole.schemas import DeclarationError, Duration, Event, event_info

from .budget import Budget
from .context import ContextPolicy, everything
from .eventtypes import AgentEvents
from .guards import Guard
from .marking import mark_of
from .outputs import Ways, ways_out
from .prompts import prompt_of
from .retries import Retries
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
        tools: functions, `Tool`, or `RunTool` for a run, such as another agent's.
        turns: how many calls of the model a conversation may have.
        budget: what it may spend in one run.
        retries: how often the model is called again, by what went wrong.
        timeout: of one call of the model.
        before: guards of what it takes.
        after: guards of what it gives.
        context: how much of a long conversation the model is sent.
        continues: an agent of the same run whose conversation it goes on with, ``"self"`` for its own earlier one.
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
        tools: Sequence[Tool | RunTool | Callable[..., Any]] = (),
        turns: int = _TURNS,
        budget: Budget | None = None,
        retries: Retries | None = None,
        timeout: Duration = "10m",
        before: Sequence[Guard] = (),
        after: Sequence[Guard] = (),
        context: ContextPolicy = everything,
        continues: "Agent | str | None" = None,
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
        self.gives = _events(gives, name)
        self.model = model
        self.instructions = instructions
        self.prompt = prompt
        self.tools = {tool.name: tool for tool in map(tool_of, tools)}
        if len(self.tools) < len(tools):
            raise DeclarationError(f"agent {name}: two tools have one name; give one of them name=")
        self.turns = turns
        self.budget = budget
        self.retries = retries or Retries()
        self.timeout = timeout
        self.before = tuple(before)
        self.after = tuple(after)
        self.context = context
        self.continues = continues
        self.price = price
        self.settings = settings
        self.each = each
        self.within = within
        self.concurrency = concurrency
        self.stream = stream
        self.mark = mark_of(takes, *self.gives)
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

    def __repr__(self) -> str:
        return f"<agent {self.name}>"


def _events(gives: Any, name: str) -> tuple[type[Event], ...]:
    is_union = typing.get_origin(gives) in (typing.Union, types.UnionType)
    found = typing.get_args(gives) if is_union else (gives,)
    for event in found:
        if not (isinstance(event, type) and issubclass(event, Event)):
            raise DeclarationError(f"agent {name}: gives {event!r}, which is no event")
        info = event_info(event)
        if info.abstract or info.kind not in ("event", "end"):
            raise DeclarationError(f"agent {name}: gives {event.__name__}; a reactor can return an Event or an End")
    return tuple(found)
