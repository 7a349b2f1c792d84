"""LangGraph with a Postgres saver: a node that calls the model, one that calls the tool, a checkpoint after each."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.graph import END, START, MessagesState, StateGraph
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

from benchmarks.agents.contender import Contender
from benchmarks.agents.rivals.tables import bytes_in
from benchmarks.agents.script import ANSWER, RESULT, Script


def graph(script: Script, saver: AsyncPostgresSaver) -> Any:
    """The agent."""

    async def model(state: MessagesState) -> dict[str, Any]:
        messages = state["messages"]
        replies = sum(isinstance(message, AIMessage) for message in messages)
        words = await script.says(str(messages[0].content), replies)
        if words is None:
            return {"messages": [AIMessage(ANSWER)]}
        call = {"name": "look_up", "args": {"words": words}, "id": f"call-{replies}"}
        return {"messages": [AIMessage("", tool_calls=[call])]}

    async def tool(state: MessagesState) -> dict[str, Any]:
        last = state["messages"][-1]
        return {"messages": [ToolMessage(RESULT, tool_call_id=last.tool_calls[0]["id"])]}

    def then(state: MessagesState) -> str:
        return "tool" if state["messages"][-1].tool_calls else END

    made: Any = StateGraph(MessagesState)
    made.add_node("model", model)
    made.add_node("tool", tool)
    made.add_edge(START, "model")
    made.add_conditional_edges("model", then, ["tool", END])
    made.add_edge("tool", "model")
    return made.compile(checkpointer=saver)


@dataclass
class _Graph:
    graph: Any
    server: str

    async def run(self, run: str, calls: int) -> None:
        await self._invoke(run, {"messages": [HumanMessage(f"{run} {calls}")]})

    async def go_on(self, runs: Mapping[str, int]) -> None:
        """It has no workers: whoever knows of its threads has to invoke each again."""
        await asyncio.gather(*(self._invoke(run, None) for run in runs))

    async def stored(self) -> int:
        return await bytes_in(self.server)

    async def _invoke(self, run: str, given: Any) -> None:
        config = {"configurable": {"thread_id": run}, "recursion_limit": 10_000}
        await self.graph.ainvoke(given, config, durability="sync")


@asynccontextmanager
async def opened(server: str, script: Script) -> AsyncIterator[Contender]:
    """The graph, in this process."""
    options = {"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row}
    async with AsyncConnectionPool(server, min_size=4, max_size=20, kwargs=options, timeout=600) as pool:
        saver = AsyncPostgresSaver(pool)  # type: ignore[arg-type]  # the rows are dicts
        await saver.setup()
        yield _Graph(graph(script, saver), server)
