"""Tools of MCP servers, had through a framework's own support: recorded as any tool, and not called again."""

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest
from agents.mcp import MCPServerStdio
from tests.agents import mcp_server
from tests.agents.frameworks.journal import Journal

import agents as openai
from farandole.agents import Call, scripted
from farandole.agents.frameworks import durably, openai_agents
from farandole.agents.frameworks.openai_scripted import ScriptedModel
from farandole.agents.frameworks.pydantic_ai import Durability
from farandole.testing.plugin import need

SCRIPT = (Call("look_up", order="7"), "It was lost.")


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return tmp_path / "ledger"


def looked_up(ledger: Path) -> int:
    """How often the server was asked."""
    return sum(line.endswith("look_up 7") for line in ledger.read_text().splitlines())


async def test_the_openai_sdks_mcp_tools_are_recorded(ledger: Path) -> None:
    journal = Journal()
    where: Any = {"command": sys.executable, "args": [mcp_server.__file__, str(ledger)]}
    for attempt in (1, 2):
        async with MCPServerStdio(where) as server:
            agent = openai_agents.durable(openai.Agent("helper", model=ScriptedModel(*SCRIPT), mcp_servers=[server]))
            with durably(journal.step(attempt)):
                config = openai.RunConfig(tracing_disabled=True)
                result = await openai.Runner.run(agent, "Where is order 7?", run_config=config)
        assert result.final_output == "It was lost."
        assert looked_up(ledger) == 1
    assert sorted(journal.recorded) == ["look_up 0-0", "model 1", "model 2"]
    assert b"order 7 was lost" in journal.recorded["look_up 0-0"]


async def test_pydantic_ais_mcp_tools_are_recorded_beside_ours(ledger: Path) -> None:
    fastmcp = importlib.util.find_spec("fastmcp")
    need(
        "Pydantic AI's MCPToolset",
        [] if fastmcp else ["fastmcp"],
        of="pydantic-ai-slim[mcp]",
        required="FARANDOLE_REQUIRE_FASTMCP",
    )
    from fastmcp.client.transports import StdioTransport
    from pydantic_ai import Agent
    from pydantic_ai.mcp import MCPToolset

    journal = Journal()
    for attempt in (1, 2):
        shop: Any = MCPToolset(StdioTransport(sys.executable, [mcp_server.__file__, str(ledger)]), id="shop")
        agent = Agent(scripted(*SCRIPT), name="helper", toolsets=[shop], capabilities=[Durability()])
        with durably(journal.step(attempt)):
            assert (await agent.run("Where is order 7?")).output == "It was lost."
        assert looked_up(ledger) == 1
    assert sorted(journal.recorded) == ["look_up 0-0", "model 1", "model 2"]
