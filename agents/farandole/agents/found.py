"""Tools that are found: runs that another service offers, by the contracts in its log, without any of its code.

What the model is told is what stands in the log: the name, docstring and fields of the start. What is called is what was found when
this worker began; a release that offers something else is found by the next one.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any, get_args

from pydantic_ai.tools import ToolDefinition

from farandole.reactors import Choreography
from farandole.reactors.offers import Opener, offer_of
from farandole.schemas import DeclarationError, Start, event_info

from .approval import Needs
from .events import ToolCalled
from .executing import Made, for_run
from .tools import Opening, RunTool, check_money, check_name
from .turning import Returning, returning

if TYPE_CHECKING:
    from .agent import Agent


@dataclass(frozen=True, eq=False)
class FoundTool(Opening):
    """A run of another choreography that a model may start, known by what its services say in the log.

    Attributes:
        choreography: where it runs.
        start: the name of the event that opens it; None: the only one that is offered there.
        needs_approval: whether a person must allow a call.
        usd: what a run may spend at most, as for `RunTool`.
        name: of the tool; the choreography's unless given.
    """

    choreography: str
    start: str | None = None
    needs_approval: Needs = field(default=False, kw_only=True)
    usd: Decimal | str | None = field(default=None, kw_only=True)
    name: str = field(default="", kw_only=True)

    def __post_init__(self) -> None:
        if not self.name:
            object.__setattr__(self, "name", self.choreography)
        check_name(self.name)
        check_money(self.usd, f"tool {self.name}")

    @property
    def definition(self) -> ToolDefinition:
        """What the model is told, once it is found."""
        raise _not_found(self)

    def arguments(self, args: object) -> dict[str, Any]:
        """What the model gave, once it is known what may be given."""
        raise _not_found(self)

    def opening(self, args: object) -> Start:
        """The event that opens the run, likewise."""
        raise _not_found(self)

    async def found(self, open: Opener) -> RunTool:
        """The tool that is meant.

        Raises:
            NotOffered: nobody offers it.
        """
        offer = await offer_of(open, self.choreography, self.start)
        return RunTool(
            offer.start, reduce(or_, offer.ends), self.choreography,
            needs_approval=self.needs_approval, usd=self.usd, name=self.name,
        )  # fmt: skip


def _not_found(tool: FoundTool) -> DeclarationError:
    return DeclarationError(f"tool {tool.name}: it is found in the log of '{tool.choreography}' when a worker begins")


def for_now(agent: "Agent", tool: FoundTool) -> Iterator[Made]:
    """What stands in the place of the tool until it is found, for whoever looks at the code alone."""

    async def start(called_: ToolCalled) -> Returning:
        raise _not_found(tool)

    takes = {"called_": agent.events.called[tool.name]}
    yield Made(start, f"{agent.name}.tools.{tool.name}", takes, returning(agent.events), {})


def look_for(agent: "Agent", tools: "list[FoundTool]", choreography: Choreography, state: Any) -> None:
    """Have tools found before a worker begins, and their reactors declared."""

    async def finder(open: Opener) -> None:
        for tool in tools:
            agent.tools[tool.name] = found = await tool.found(open)
            _check_names(tool, found, choreography)
            for made in for_run(agent, found, state):
                made.declare(choreography, agent.module, f"agent {agent.name}")

    choreography.finders[agent.name] = finder


def _check_names(tool: FoundTool, found: RunTool, choreography: Choreography) -> None:
    """What is found goes by its own short name among the events here.

    Raises:
        DeclarationError: an event of this choreography has that name.
    """
    for event in (found.start, *(get_args(found.end) or (found.end,))):
        own = choreography.events.get(event_info(event).name)
        if own is not None and own is not event and own.__module__ != event.__module__:
            raise DeclarationError(
                f"tool {tool.name}: '{tool.choreography}' has an event {event_info(event).name}, and so has "
                f"'{choreography.name}': {own.__module__}.{own.__qualname__}. While no log has that one, give it another "
                f"name: class {own.__name__}(..., name='{choreography.name.capitalize()}{own.__name__}'). Else serve an "
                "agent that has the tool in a choreography of its own, and give this one a RunTool for that"
            )
