"""A worker that is killed once in each call of its agent: ``python dying_worker.py URL FRAMEWORK NAME LEDGER``.

What is begun and ended stands in the ledger, a file that nobody's death takes along. Its times are short.
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from tests.agents.dying import with_short_claims

from farandole.agents import Call
from farandole.agents.frameworks.recording import recording
from farandole.reactors import Choreography
from farandole.schemas import End, Start

SCRIPT = (
    Call("look_up", order="7"),
    [Call("page", n=1), Call("page", n=2)],
    Call("refund", order="7"),
    "It was lost.",
)


class Asked(Start):
    question: str


class Answered(End):
    text: str


class Ledger:
    """Begun and ended calls, one a line."""

    def __init__(self, path: str) -> None:
        self.path = Path(path)

    def lines(self) -> list[str]:
        return self.path.read_text().splitlines() if self.path.exists() else []

    def begin(self, call: str, worker: int | None = None) -> None:
        """Begin a call. The worker in which it begins first is killed in the midst of it.

        Args:
            worker: its process, if it is not this one.
        """
        first = f"begin {call}" not in self.lines()
        self._write(f"begin {call}")
        if first:
            os.kill(worker or os.getpid(), signal.SIGKILL)
            os._exit(0)  # with its worker

    def end(self, call: str) -> None:
        self._write(f"end {call}")

    @contextmanager
    def noting(self, call: str) -> Iterator[None]:
        self.begin(call)
        yield
        self.end(call)

    def models(self) -> int:
        """How many calls of the model have ended: where a model that goes by position is to go on."""
        return sum(line.startswith("end model") for line in self.lines())

    def _write(self, line: str) -> None:
        with self.path.open("a") as file:
            file.write(f"{line}\n")
            file.flush()
            os.fsync(file.fileno())


async def recorded(tool: str) -> None:
    """Until a call of a tool is recorded in this attempt."""
    recorder = recording()
    assert recorder is not None
    while not any(told.name.startswith(tool) for told in recorder.told):
        await asyncio.sleep(0.01)


def tools(ledger: Ledger) -> list[Any]:
    async def look_up(order: str) -> str:
        """What became of an order."""
        ledger.begin("look_up")
        ledger.end("look_up")
        return f"order {order} was lost"

    async def page(n: int) -> str:
        """A page of the book."""
        before = {2: ("page", "page 1"), 0: ("look_up", "look_up")}.get(n)
        if before and f"end {before[1]}" in ledger.lines():
            await recorded(before[0])  # who ends a call and dies before it is recorded has made it for nothing
        ledger.begin(f"page {n}")
        ledger.end(f"page {n}")
        return f"page {n}"

    def refund(order: str) -> str:
        """Pay an order back."""
        ledger.begin("refund")
        ledger.end("refund")
        return "paid back"

    return [look_up, page, refund]


def with_pydantic_ai(ledger: Ledger) -> Any:
    from pydantic_ai import Agent, Tool

    from farandole.agents import scripted
    from farandole.agents.frameworks.pydantic_ai import Durability, adapt

    def line(number: int, said: Any) -> Any:
        def say(messages: Any) -> Any:
            ledger.begin(f"model {number}")
            ledger.end(f"model {number}")
            return said

        return say

    look_up, page, refund = tools(ledger)
    model = scripted(*(line(n, said) for n, said in enumerate(SCRIPT, 1)))
    agent = Agent(
        model, name="helper", tools=[look_up, page, Tool(refund, requires_approval=True)], capabilities=[Durability()]
    )
    return adapt("helper", agent, takes=Asked, gives=Answered)


def with_openai_agents(ledger: Ledger) -> Any:
    from agents import Agent, ModelResponse, RunConfig, function_tool
    from farandole.agents.frameworks.openai_agents import adapt, durable
    from farandole.agents.frameworks.openai_scripted import ScriptedModel, replies_in

    class Noted(ScriptedModel):
        async def get_response(self, instructions: Any, input: Any, *args: Any, **kwargs: Any) -> ModelResponse:
            with ledger.noting(f"model {replies_in(input) + 1}"):
                return await super().get_response(instructions, input, *args, **kwargs)

    look_up, page, refund = tools(ledger)
    made = [function_tool(look_up), function_tool(page), function_tool(refund, needs_approval=True)]
    agent = durable(Agent("helper", model=Noted(*SCRIPT), tools=made))
    return adapt("helper", agent, takes=Asked, gives=Answered, run_config=RunConfig(tracing_disabled=True))


def with_langgraph(ledger: Ledger) -> Any:
    from langchain.agents import create_agent
    from langchain.agents.middleware import HumanInTheLoopMiddleware
    from langchain_core.messages import AIMessage

    from farandole.agents.frameworks.langchain import Durable, adapt
    from farandole.agents.frameworks.langchain_scripted import ScriptedModel

    class Noted(ScriptedModel):
        async def _agenerate(self, messages: Any, *args: Any, **kwargs: Any) -> Any:
            with ledger.noting(f"model {sum(isinstance(message, AIMessage) for message in messages) + 1}"):
                return await super()._agenerate(messages, *args, **kwargs)

    agent = create_agent(
        Noted(*SCRIPT), tools(ledger), middleware=[HumanInTheLoopMiddleware({"refund": True}), Durable()]
    )
    return adapt("helper", agent, takes=Asked, gives=Answered)


def with_langgraph_graph(ledger: Ledger) -> Any:
    """A plain graph, whose tools and model are durable one by one."""
    from langchain_core.messages import AIMessage
    from langgraph.graph import START, MessagesState, StateGraph
    from langgraph.prebuilt import ToolNode, tools_condition
    from langgraph.types import interrupt

    from farandole.agents.frameworks.langchain import DurableModel, adapt, durable_tools
    from farandole.agents.frameworks.langchain_scripted import ScriptedModel

    class Noted(ScriptedModel):
        async def _agenerate(self, messages: Any, *args: Any, **kwargs: Any) -> Any:
            with ledger.noting(f"model {sum(isinstance(message, AIMessage) for message in messages) + 1}"):
                return await super()._agenerate(messages, *args, **kwargs)

    model, made = DurableModel(Noted(*SCRIPT)), tools(ledger)

    async def think(state: MessagesState) -> Any:
        return {"messages": [await model.bind_tools(made).ainvoke(state["messages"])]}

    def ask(state: MessagesState) -> Any:
        calls = [call for call in state["messages"][-1].tool_calls if call["name"] == "refund"]  # type: ignore[union-attr]
        if calls and not interrupt({"refund": calls[0]["args"]})["approved"]:
            raise RuntimeError("it was to be allowed")
        return {}

    graph = StateGraph(MessagesState)
    graph.add_node("think", think)
    graph.add_node("ask", ask)
    graph.add_node("tools", ToolNode(made, awrap_tool_call=durable_tools))
    graph.add_edge(START, "think")
    graph.add_conditional_edges("think", tools_condition, {"tools": "ask", "__end__": "__end__"})
    graph.add_edge("ask", "tools")
    graph.add_edge("tools", "think")
    return adapt("helper", graph.compile(), takes=Asked, gives=Answered)


def with_pydantic_own(ledger: Ledger) -> Any:
    """Its own test model, which calls all tools at once, and then says one thing."""
    from pydantic_ai import Agent, Tool
    from pydantic_ai.models.test import TestModel

    from farandole.agents.frameworks.pydantic_ai import Durability, adapt

    class Noted(TestModel):
        async def request(self, messages: Any, *args: Any) -> Any:
            with ledger.noting(f"model {sum(message.kind == 'response' for message in messages) + 1}"):
                return await super().request(messages, *args)

        @asynccontextmanager
        async def request_stream(self, messages: Any, *args: Any) -> AsyncIterator[Any]:
            with ledger.noting(f"model {sum(message.kind == 'response' for message in messages) + 1}"):
                async with super().request_stream(messages, *args) as stream:
                    yield stream

    look_up, page, refund = tools(ledger)
    agent = Agent(
        Noted(custom_output_text="It was lost."),
        name="helper",
        tools=[look_up, page, Tool(refund, requires_approval=True)],
        capabilities=[Durability()],
    )
    return adapt("helper", agent, takes=Asked, gives=Answered)


def with_openai_own(ledger: Ledger) -> Any:
    """Its own test model, which says one thing after the other, whatever it is sent."""
    from agents.testing import ScriptedModel, assistant_message, function_call

    from agents import Agent, ModelResponse, RunConfig, function_tool
    from farandole.agents.frameworks.openai_agents import adapt, durable

    ended = ledger.models()
    script = [
        [
            assistant_message(call)
            if isinstance(call, str)
            else function_call(call.tool, call.args, call_id=f"{n}-{m}")
            for m, call in enumerate(said if isinstance(said, list) else [said])
        ]
        for n, said in enumerate(SCRIPT)
    ]

    class Noted(ScriptedModel):
        async def get_response(self, *args: Any, **kwargs: Any) -> ModelResponse:
            with ledger.noting(f"model {ended + len(self.calls) + 1}"):
                return await super().get_response(*args, **kwargs)

    look_up, page, refund = tools(ledger)
    made = [function_tool(look_up), function_tool(page), function_tool(refund, needs_approval=True)]
    agent = durable(Agent("helper", model=Noted(script[ended:]), tools=made))
    return adapt("helper", agent, takes=Asked, gives=Answered, run_config=RunConfig(tracing_disabled=True))


def with_langchain_own(ledger: Ledger) -> Any:
    """Its own test model, which says one thing after the other, whatever it is sent."""
    from langchain.agents import create_agent
    from langchain.agents.middleware import HumanInTheLoopMiddleware
    from langchain_core.language_models.fake_chat_models import FakeMessagesListChatModel
    from langchain_core.messages import AIMessage, ToolCall

    from farandole.agents.frameworks.langchain import Durable, adapt

    ended = ledger.models()
    script = [
        AIMessage(said)
        if isinstance(said, str)
        else AIMessage(
            "",
            tool_calls=[
                ToolCall(name=call.tool, args=dict(call.args), id=f"{n}-{m}")
                for m, call in enumerate(said if isinstance(said, list) else [said])
            ],
        )
        for n, said in enumerate(SCRIPT)
    ]

    class Noted(FakeMessagesListChatModel):
        def bind_tools(self, *args: Any, **kwargs: Any) -> Any:
            return self  # theirs can bind none

        async def _agenerate(self, *args: Any, **kwargs: Any) -> Any:
            with ledger.noting(f"model {ended + self.i + 1}"):
                return await super()._agenerate(*args, **kwargs)

    agent = create_agent(
        # It begins anew after its last line.
        Noted(responses=[*script[ended:], AIMessage("asked too often")]),
        tools(ledger),
        middleware=[HumanInTheLoopMiddleware({"refund": True}), Durable()],
    )
    return adapt("helper", agent, takes=Asked, gives=Answered)


def with_mcp(ledger: Ledger) -> Any:
    """Our own agent, with the tools of an MCP server. One call after the other: each is a step of its own."""
    from farandole.agents import Agent, McpServer, scripted

    def line(number: int, said: Any) -> Any:
        def say(messages: Any) -> Any:
            ledger.begin(f"model {number}")
            ledger.end(f"model {number}")
            return said

        return say

    calls = (
        Call("shop_look_up", order="7"),
        Call("shop_page", n=1),
        Call("shop_page", n=2),
        Call("shop_refund", order="7"),
    )
    return Agent(
        "helper",
        takes=Asked,
        gives=Answered,
        model=scripted(*(line(n, said) for n, said in enumerate((*calls, "It was lost."), 1))),
        tools=[
            McpServer(
                "shop",
                [sys.executable, __file__, "serve", str(ledger.path)],
                needs_approval={"refund": True},
                env={"PYTHONPATH": os.environ.get("PYTHONPATH", "")},
            )
        ],
    )


def serve(path: str) -> None:
    """The MCP server. Its parent is the worker that it is killed with."""
    from mcp.server.mcpserver import MCPServer

    ledger, server = Ledger(path), MCPServer("shop")

    def noted(call: str) -> str:
        ledger.begin(call, os.getppid())
        ledger.end(call)
        return call

    @server.tool()
    async def look_up(order: str) -> str:
        """What became of an order."""
        return noted("look_up")

    @server.tool()
    async def page(n: int) -> str:
        """A page of the book."""
        return noted(f"page {n}")

    @server.tool()
    async def refund(order: str) -> str:
        """Pay an order back."""
        return noted("refund")

    server.run("stdio")


FRAMEWORKS = {
    "pydantic_ai": with_pydantic_ai,
    "openai_agents": with_openai_agents,
    "langgraph": with_langgraph,
    "langgraph_graph": with_langgraph_graph,
    "pydantic_own": with_pydantic_own,
    "openai_own": with_openai_own,
    "langchain_own": with_langchain_own,
    "mcp": with_mcp,
}


def choreography(framework: str, name: str, ledger: str) -> tuple[Choreography, Any]:
    desk = Choreography(name)
    helper = FRAMEWORKS[framework](Ledger(ledger))
    helper.serve(desk)
    return desk, helper


async def main(url: str, framework: str, name: str, ledger: str) -> None:
    desk, _ = choreography(framework, name, ledger)
    await desk.work(url, partitions=1, member="the-one")  # whose partitions are its again at once


if __name__ == "__main__":
    with_short_claims()
    if sys.argv[1] == "serve":
        serve(sys.argv[2])
    else:
        asyncio.run(main(*sys.argv[1:]))
