"""Calfkit's agent and its tool, two nodes on Kafka."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from calfkit import Agent, Client, ProvisioningConfig, Worker, agent_tool
from calfkit._vendor.pydantic_ai.messages import ModelResponse, TextPart, ToolCallPart, UserPromptPart
from calfkit._vendor.pydantic_ai.models.function import FunctionModel

from benchmarks.agents.contender import Contender
from benchmarks.agents.rivals.topics import bytes_in
from benchmarks.agents.script import ANSWER, RESULT, Script

_AT_ONCE = 500


async def look_up(words: str) -> str:
    """Look something up."""
    return RESULT


@dataclass
class _Mesh:
    client: Any
    server: str

    async def run(self, run: str, calls: int) -> None:
        await self.client.agent("clerk").execute(f"{run} {calls}")

    async def go_on(self, runs: Mapping[str, int]) -> None:
        """The broker hands out again what was not acknowledged; who asked cannot ask again for the answer."""

    async def stored(self) -> int:
        return await bytes_in(self.server)


@asynccontextmanager
async def opened(server: str, script: Script) -> AsyncIterator[Contender]:
    """A worker with both nodes, and a client beside it."""

    async def reply(messages: list[Any], info: Any) -> ModelResponse:
        asked = next(part for message in messages for part in message.parts if isinstance(part, UserPromptPart))
        replies = sum(isinstance(message, ModelResponse) for message in messages)
        words = await script.says(str(asked.content), replies)
        if words is None:
            return ModelResponse([TextPart(ANSWER)])
        return ModelResponse([ToolCallPart("look_up", {"words": words}, f"call-{replies}")])

    tool = agent_tool(look_up)
    model: Any = FunctionModel(reply, model_name="scripted")
    clerk = Agent(name="clerk", model_client=model, tools=[tool])
    client = Client.connect(server, provisioning=ProvisioningConfig(enabled=True, num_partitions=8))
    worker = Worker(client, nodes=[clerk, tool], max_workers=_AT_ONCE)
    async with worker:
        yield _Mesh(client, server)
    with contextlib.suppress(Exception):
        await client.aclose()
