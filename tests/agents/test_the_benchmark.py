"""The benchmark of agents measures Farandole, with small numbers; its rivals are in environments of their own."""

import pytest
from benchmarks.agents.contest import LENGTHS, measure
from benchmarks.agents.rivals.farandole import opened
from benchmarks.agents.script import Script

JOB = {"agents": 5, "calls": 2, "limit": 60}


@pytest.fixture
def script() -> Script:
    return Script(0.001)


async def test_every_agent_comes_to_its_answer(script: Script) -> None:
    async with opened("memory://", script) as desk:
        found = await measure(desk, script, JOB)
    assert found["ended"] == JOB["agents"]
    assert found["runs_per_s"] > 0
    assert script.calls == 21 * 2 + 10 * JOB["calls"] + sum(LENGTHS) + JOB["agents"] * JOB["calls"]


@pytest.mark.kafka
async def test_what_is_stored_grows_with_the_conversation_and_no_faster(script: Script, kafka: str) -> None:
    async with opened(kafka, script) as desk:
        found = await measure(desk, script, JOB)
    assert found["linear"]
    assert found["bytes_per_turn_50_to_100"] < 4_000
