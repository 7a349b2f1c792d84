"""Pydantic AI's agent in a workflow of DBOS: calls of the model and of the tool are steps."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from dbos import DBOS, DBOSConfig, SetWorkflowID
from pydantic_ai import Agent
from pydantic_ai.durable_exec.dbos import DBOSDurability
from pydantic_ai.messages import ModelMessage, ModelResponse
from pydantic_ai.models.function import AgentInfo, FunctionModel
from pydantic_ai.usage import UsageLimits

from benchmarks.agents.contender import Contender
from benchmarks.agents.rivals.conversing import response
from benchmarks.agents.rivals.tables import bytes_in
from benchmarks.agents.script import RESULT, Script


@dataclass
class _Workflows:
    ask: Any
    server: str

    async def run(self, run: str, calls: int) -> None:
        with SetWorkflowID(run):
            handle = await DBOS.start_workflow_async(self.ask, f"{run} {calls}")
        await handle.get_result()

    async def go_on(self, runs: Mapping[str, int]) -> None:
        """It recovers them when it is launched."""

    async def stored(self) -> int:
        return await bytes_in(self.server)


@asynccontextmanager
async def opened(server: str, script: Script) -> AsyncIterator[Contender]:
    """DBOS, launched in this process."""
    config: DBOSConfig = {
        "name": "desk",
        "system_database_url": server,
        "application_version": "1",
        "log_level": "ERROR",
        "sys_db_pool_size": 20,
    }
    DBOS(config=config)

    @DBOS.step()
    async def look_up(words: str) -> str:
        """Look something up."""
        return RESULT

    async def reply(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        return await response(script, messages)

    agent = Agent(
        FunctionModel(reply, model_name="scripted"), name="clerk", tools=[look_up], capabilities=[DBOSDurability()]
    )

    @DBOS.workflow()
    async def ask(asked: str) -> str:
        done = await agent.run(asked, usage_limits=UsageLimits(request_limit=None))
        return str(done.output)

    DBOS.launch()
    try:
        yield _Workflows(ask, server)
    finally:
        DBOS.destroy()
