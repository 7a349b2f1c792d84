"""Makes reactors of an agent. Each is small, and each step of it durable:

what it takes → <agent> → ModelRequested → <agent>.model → ModelReplied and what it gives
                               ↑                  └──→ ModelReplied and the call of a tool, or several side by side
                 ToolReturned and ModelRequested ← <agent>.tools.<tool> ←──┘

Of several calls each ends with ToolReturned, and <agent>.turn makes the request once all have. What guards must see first
goes by <agent>.reply.
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NewType, TypeAlias

from pydantic_ai.models import Model, infer_model

from farandole.reactors import Ask, Choreography, Provider, Step

from .beginning import begin
from .conversations import folding
from .deciding import asker, decider
from .executing import Connecting, Made, for_function, for_run, for_server
from .found import FoundTool, for_now, look_for
from .made import listed, signed, union
from .remembering import MemoryTool, provide, tools_of, wanted_of
from .replying import replier, with_reply, without_reply
from .requesting import caller
from .servers import McpServer
from .tools import RunTool, Tool
from .turning import returning, turner

AnyTool: TypeAlias = Tool | RunTool | FoundTool | McpServer

if TYPE_CHECKING:
    from farandole.projections import Memories

    from .agent import Agent


@dataclass(frozen=True)
class Served:
    """An agent in a service.

    Attributes:
        model: the provider of its model, to be replaced in a scenario.
        reactors: the names of its reactors.
        memory: the provider of what it remembers, if it does, to be replaced likewise.
    """

    model: Provider[Model]
    reactors: Sequence[str]
    memory: "Provider[Memories] | None" = None


def serve(agent: "Agent", choreography: Choreography) -> Served:
    """Declare an agent's reactors and the provider of its model.

    Raises:
        DeclarationError: a name is taken, or what the agent takes cannot be taken.
    """
    new_type: Any = NewType
    wanted = new_type(f"{agent.name}_model", Model)
    provider = _model(agent, choreography, wanted)
    memory = None if agent.memory is None else provide(agent.memory, choreography)
    known = len(choreography.reactors)
    _declare(agent, choreography, wanted)
    return Served(provider, [reactor.name for reactor in choreography.reactors[known:]], memory)


def _declare(agent: "Agent", choreography: Choreography, model: Any) -> None:
    events, name = agent.events, agent.name
    continued = () if agent.continues is None or isinstance(agent.continues, str) else (agent.continues.events,)
    for other in continued:
        choreography.know(other.ModelRequested, other.ModelReplied, other.ToolReturned)
    runs = {tool.name: tool.most for tool in agent.tools.values() if isinstance(tool, RunTool | FoundTool)}
    state = folding(events, name, continued, runs, agent.module)
    gives = union(agent.gives)
    called = union(events.called.values()) if agent.tools else None

    servers = {server.name: _connection(agent, choreography, server) for server in agent.servers}

    def add(fn: Any, of: str, returns: Any, options: dict[str, Any], **takes: Any) -> None:
        signed(fn, of, agent.module, f"agent {name}", returns, **takes)
        choreography.reactor(name=of, **options)(fn)

    gathered = {option: value for option in ("each", "within") if (value := getattr(agent, option)) is not None}
    remembers = {} if agent.memory is None else {"memories": wanted_of(agent.memory.memory)}
    add(
        begin(agent),
        name,
        events.ModelRequested | gives,
        gathered,
        taken=agent.takes,
        state=state,
        step=Step,
        **remembers,
    )
    add(
        caller(agent),
        f"{name}.model",
        with_reply(agent),
        {"retry": agent.retries.policies(), "timeout": agent.timeout, "concurrency": agent.concurrency},
        requested=events.ModelRequested,
        model=model,
        state=state,
        step=Step,
        **{f"{name}_server": wanted for name, wanted in servers.items()},
    )
    asks = any(tool.asks for tool in agent.tools.values())
    add(replier(agent), f"{name}.reply", without_reply(agent), {}, deferred=events.ReplyDeferred, state=state)
    if called is None:
        return
    add(
        turner(agent),
        f"{name}.turn",
        events.ModelRequested | None,
        {"each": events.ToolReturned},
        returned=listed(events.ToolReturned),
    )
    for tool in agent.tools.values():
        for made in _made(agent, tool, state, servers):
            made.declare(choreography, agent.module, f"agent {name}")
    if sought := [tool for tool in agent.tools.values() if isinstance(tool, FoundTool)]:
        look_for(agent, sought, choreography, state)
    if asks:
        asking: Any = Ask
        answers = events.ToolApproved | events.ToolDenied
        add(asker(agent), f"{name}.approval", asking[answers], {}, proposed=events.ToolProposed)
        add(
            decider(events, lambda called: None if (tool := agent.tool(called)) is None else events.called[tool.name]),
            f"{name}.decision",
            called | returning(events),
            {},
            answer=answers,
            proposed=events.ToolProposed,
        )


def _made(agent: "Agent", tool: AnyTool, state: Any, servers: Mapping[str, Any]) -> Iterator[Made]:
    match tool:
        case MemoryTool() if agent.memory is not None:
            return tools_of(agent, tool, state, agent.memory.memory)
        case Tool():
            return for_function(agent, tool)
        case RunTool():
            return for_run(agent, tool, state)
        case FoundTool():
            return for_now(agent, tool)
        case McpServer():
            return for_server(agent, tool, servers[tool.name])


def _connection(agent: "Agent", choreography: Choreography, server: McpServer) -> Any:
    """What a connection to a server is asked for by. Clients need neither the package nor the server."""
    new_type: Any = NewType
    wanted = new_type(f"{agent.name}_{server.name}_server", Connecting)

    async def opened() -> AsyncIterator[Any]:
        from .connecting import Connection

        connection = Connection(server)
        try:
            yield connection
        finally:
            await connection.close()

    yields: Any = AsyncIterator
    name = f"{agent.name}_{server.name}_server"
    signed(opened, name, agent.module, f"agent {agent.name}", yields[wanted])
    choreography.provide(opened)
    return wanted


def _model(agent: "Agent", choreography: Choreography, wanted: Any) -> Provider[Model]:
    """Opened once a worker, and closed when it has stopped. Clients need neither the model's package nor its key."""

    async def opened() -> AsyncIterator[Model]:
        async with infer_model(agent.model) as model:
            yield model

    yields: Any = AsyncIterator
    signed(opened, f"{agent.name}_model", agent.module, f"agent {agent.name}", yields[wanted])
    provider: Provider[Model] = choreography.provide(opened)
    return provider
