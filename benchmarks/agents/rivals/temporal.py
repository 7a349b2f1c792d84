"""Pydantic AI's agent in a workflow of Temporal: calls of the model and of the tool are activities."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from pydantic_ai import Agent
from pydantic_ai.durable_exec.temporal import AgentPlugin, PydanticAIPlugin, TemporalDurability
from pydantic_ai.messages import ModelMessage, ModelResponse
from pydantic_ai.models.function import AgentInfo, FunctionModel
from pydantic_ai.usage import UsageLimits
from temporalio import workflow
from temporalio.client import Client
from temporalio.worker import Worker

from benchmarks.agents.contender import Contender
from benchmarks.agents.rivals.conversing import response
from benchmarks.agents.script import RESULT, Script

_scripts: list[Script] = []


async def _reply(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
    return await response(_scripts[0], messages)


async def look_up(words: str) -> str:
    """Look something up."""
    return RESULT


agent = Agent(
    FunctionModel(_reply, model_name="scripted"), name="clerk", tools=[look_up], capabilities=[TemporalDurability()]
)


@workflow.defn
class Ask:
    """One agent."""

    @workflow.run
    async def run(self, asked: str) -> str:
        done = await agent.run(asked, usage_limits=UsageLimits(request_limit=None))
        return str(done.output)


@dataclass
class _Workflows:
    client: Client
    handles: list[Any] = field(default_factory=list)

    async def run(self, run: str, calls: int) -> None:
        handle = await self.client.start_workflow(Ask.run, f"{run} {calls}", id=run, task_queue="desk")
        self.handles.append(handle)
        await handle.result()

    async def go_on(self, runs: Mapping[str, int]) -> None:
        """The server hands them out."""

    async def stored(self) -> int:
        """Of their histories."""
        described = [await handle.describe() for handle in self.handles]
        return sum(each.raw_description.workflow_execution_info.history_size_bytes for each in described)


@asynccontextmanager
async def opened(server: str, script: Script) -> AsyncIterator[Contender]:
    """A worker."""
    _scripts[:] = [script]
    client = await Client.connect(server, plugins=[PydanticAIPlugin()])
    async with Worker(
        client, task_queue="desk", workflows=[Ask], plugins=[AgentPlugin(agent)], max_concurrent_activities=1000
    ):
        yield _Workflows(client)
