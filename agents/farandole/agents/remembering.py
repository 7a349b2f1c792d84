"""What an agent remembers across runs: read when a conversation begins, and by tools of the model's.

It is a projection's to keep: what is to be remembered is an event in the log, and what is remembered when a conversation
begins is recorded in its first request. So whoever goes on with it knows the same.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NewType

from pydantic import ValidationError
from pydantic_ai.messages import UserPromptPart

from farandole.eventstore import EventStore
from farandole.projections.custom import name_of as memory_name
from farandole.projections.remembering import Remembered, Remembrance
from farandole.reactors import Choreography, Provider
from farandole.schemas import DeclarationError

from .conversations import Conversations
from .events import ToolCalled
from .executing import Made
from .made import placed, signed, union
from .outputs import described
from .tools import Tool
from .turning import return_of, returning

if TYPE_CHECKING:
    from farandole.projections import Memories, Memory

    from .agent import Agent

_FOUND: Final = 10


@dataclass(frozen=True, kw_only=True)
class Remembering:
    """How an agent remembers.

    Attributes:
        memory: what is remembered in.
        about: from what the agent takes to the person or topic by whom it is remembered, as a customer's id; empty: this
            conversation remembers nothing.
        told: so many facts, the newest, the model is told when a conversation begins.
        tools: whether the model has the tools ``recall`` and ``remember``.
        db: where a projector keeps the memory; None: the environment variable ``FARANDOLE_DB``, or without that each
            worker keeps it for itself.
    """

    memory: "type[Memory]"
    about: Callable[[Any], str]
    told: int = 20
    tools: bool = True
    db: str | None = None

    def __post_init__(self) -> None:
        if self.told < 0:
            raise DeclarationError(f"Remembering(told={self.told}): the model is told none at least")


class Mind:
    """What the tools of memory work with.

    Args:
        memory: its name.
        about: by whom or what is remembered.
        agent: who remembers.
        memories: what is remembered; only for whoever looks something up.
    """

    def __init__(self, memory: str, about: str, agent: str, memories: "Memories | None" = None) -> None:
        self.memory = memory
        self.about = about
        self.agent = agent
        self.memories = memories


async def recall(query: str, mind: Mind) -> list[str]:
    """Look up what you remember, also from earlier conversations.

    Args:
        query: words to look for.
    """
    found = () if mind.memories is None else await mind.memories.search(mind.about, query, _FOUND)
    return [line(fact) for fact in found]


async def remember(fact: str, mind: Mind) -> Remembered:
    """Keep something for later conversations. Only what will still matter then, and one fact at a time.

    Args:
        fact: what is to be remembered, in one sentence that can be understood by itself.
    """
    return Remembered(memory=mind.memory, about=mind.about, text=fact, by=mind.agent)


class MemoryTool(Tool):
    """A tool of memory's."""


def memory_tools(remembering: Remembering | None) -> Sequence[MemoryTool]:
    """What the model has to remember with."""
    return () if remembering is None or not remembering.tools else (MemoryTool(recall), MemoryTool(remember))


def wanted_of(memory: "type[Memory]") -> Any:
    """The type by which the answers of a memory are provided."""
    key: Any = memory
    return _wanted(key)


@cache
def _wanted(memory: Any) -> Any:
    from farandole.projections import Memories

    new_type: Any = NewType
    return new_type(f"{memory.__name__}_memories", Memories)


def provide(remembering: Remembering, choreography: Choreography) -> "Provider[Memories]":
    """Declare the memory as a projection of a choreography, and a provider of its answers."""
    from farandole.projections.remembering import open_memories

    memory, db = remembering.memory, remembering.db

    async def opened(store: EventStore) -> "AsyncIterator[Memories]":
        async with open_memories(memory, choreography, store, db) as memories:
            yield memories

    yields: Any = AsyncIterator
    name = f"{memory.__name__.lower()}_memories"
    signed(opened, name, memory.__module__, f"memory {memory.__name__}", yields[wanted_of(memory)], store=EventStore)
    choreography.project(memory)
    choreography.know(Remembered)
    provider: Provider[Memories] = choreography.provide(opened)
    return provider


async def told(remembering: Remembering, memories: "Memories", about: str) -> Sequence[UserPromptPart]:
    """What the model is told of what is remembered, before anything else."""
    facts = await memories.of(about, remembering.told) if about and remembering.told else ()
    if not facts:
        return ()
    lines = "\n".join(f"- {line(fact)}" for fact in facts)
    return (UserPromptPart(f"What you remember of {about} from earlier conversations, the newest first:\n{lines}"),)


def line(fact: Remembrance) -> str:
    """A fact as the model reads it."""
    return f"{fact.at:%Y-%m-%d}: {fact.text}"


def tools_of(agent: "Agent", tool: MemoryTool, state: Any, memory: "type[Memory]") -> Iterator[Made]:
    """The reactor of one of the tools."""
    events = agent.events
    called = events.called[tool.name]
    takes = {"called_": called, "state": state}
    returns = returning(events)
    if tool.fn is recall:
        takes |= {"memories": wanted_of(memory)}
    else:
        kept = (Remembered, events.ToolReturned)
        returns = union((placed(*kept), placed(*kept, events.ModelRequested), returns))
    yield Made(_minding(agent, tool, memory_name(memory)), f"{agent.name}.tools.{tool.name}", takes, returns, {})


def _minding(agent: "Agent", tool: Tool, memory: str) -> Any:
    async def handle(called_: ToolCalled, state: Conversations, memories: "Memories | None" = None) -> Any:
        try:
            args = tool.arguments(called_.args)
        except ValidationError as e:
            return return_of(agent.events, called_, described(e), "retried")
        about = state.talks[called_.conversation].opened.about
        if not about:
            return return_of(agent.events, called_, "Nobody knows whom this is about, so nothing is kept.", "failed")
        found = await tool.fn(**args, mind=Mind(memory, about, agent.name, memories))
        if isinstance(found, Remembered):
            came = return_of(agent.events, called_, "Remembered.", "success")
            return (found, *came) if isinstance(came, tuple) else (found, came)
        return return_of(agent.events, called_, found or "Nothing is remembered of that.", "success")

    return handle
