"""Farandole's agent, on Kafka."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from pydantic_ai.messages import ModelMessage, ModelResponse
from pydantic_ai.models.function import AgentInfo, FunctionModel

from benchmarks.agents.contender import Contender
from benchmarks.agents.rivals.conversing import response
from benchmarks.agents.rivals.topics import bytes_in
from benchmarks.agents.script import RESULT, Script
from farandole.agents import Agent, Tool
from farandole.reactors import Choreography, Client
from farandole.schemas import End, Start

_AT_ONCE = 1000


class Asked(Start):
    asked: str


class Answered(End):
    """The answer."""

    text: str


async def look_up(words: str) -> str:
    """Look something up."""
    return RESULT


def desk(script: Script) -> Choreography:
    """The choreography of one agent."""

    async def reply(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        return await response(script, messages)

    made = Choreography("desk")
    Agent(
        "clerk",
        takes=Asked,
        gives=Answered,
        model=FunctionModel(reply, model_name="scripted"),
        tools=[Tool(look_up, concurrency=_AT_ONCE)],
        turns=_AT_ONCE,
        concurrency=_AT_ONCE,
    ).serve(made)
    return made


@dataclass
class _Desk:
    client: Client
    server: str

    async def run(self, run: str, calls: int) -> None:
        handle = await self.client.start(Asked(asked=f"{run} {calls}"), run_id=run)
        await handle.result(Answered, timeout="1h")

    async def go_on(self, runs: Mapping[str, int]) -> None:
        """They go on by themselves."""

    async def stored(self) -> int:
        return await bytes_in(self.server)


@asynccontextmanager
async def opened(server: str, script: Script) -> AsyncIterator[Contender]:
    """A worker and a client of it; on ``memory://`` too, where nothing is stored."""
    url = server if "://" in server else f"kafka://{server}"
    async with desk(script).work(url, member="one", partitions=8) as client:
        yield _Desk(client, server)
