"""A worker that is killed once in each call of its agent: ``python dying_worker.py URL FRAMEWORK NAME LEDGER``.

What is begun and ended stands in the ledger, a file that nobody's death takes along. Its times are short.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

from farandole.agents import Call
from farandole.agents.frameworks.recording import recording
from farandole.reactors import Choreography, leases
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
        if n == 2 and "end page 1" in ledger.lines():
            await recorded("page")  # who ends a call and dies before it is recorded has made it for nothing
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
            number = replies_in(input) + 1
            ledger.begin(f"model {number}")
            reply = await super().get_response(instructions, input, *args, **kwargs)
            ledger.end(f"model {number}")
            return reply

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
            number = sum(isinstance(message, AIMessage) for message in messages) + 1
            ledger.begin(f"model {number}")
            reply = await super()._agenerate(messages, *args, **kwargs)
            ledger.end(f"model {number}")
            return reply

    agent = create_agent(
        Noted(*SCRIPT), tools(ledger), middleware=[HumanInTheLoopMiddleware({"refund": True}), Durable()]
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
    for constant, value in {"CLAIM_AFTER": 0.5, "RENEW": 0.5, "_LOOK": 0.2, "LEASE": 2_000, "MARGIN": 100}.items():
        setattr(leases, constant, value)
    if sys.argv[1] == "serve":
        serve(sys.argv[2])
    else:
        asyncio.run(main(*sys.argv[1:]))
