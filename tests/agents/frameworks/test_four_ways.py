"""One agent in four frameworks: the same events in the same order, the same question, the same that is told of calls."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from examples.agents.four_ways import BY_DESK, FOUR, Answered, Asked, paid

from farandole.agents import Agent
from farandole.agents.events import ModelReplied, ToolCalled, ToolProposed, ToolReturned
from farandole.agents.frameworks import Adapted
from farandole.reactors import Choreography
from farandole.reactors.graph import findings_in, graph_of
from farandole.testing import Scenario

SAME = (
    "agent", "turn", "parts", "instructions", "corrects", "refused", "model", "finish_reason", "cost", "attempt",
    "call", "tool", "args", "content", "outcome", "kept", "by", "comment", "text", "question",
)  # fmt: skip


async def story(desk: Choreography, agent: Agent | Adapted, *, approve: bool) -> tuple[list[Any], Any]:
    """What happened, with what is told alike; and how a person was asked."""
    async with Scenario(desk) as s:
        await s.when(Asked(question="Where is order 7?"))
        (decision,) = await s.use(lambda client: client.run("run").decisions())
        answer = agent.events.ToolApproved if approve else agent.events.ToolDenied
        await s.when(answer(by="ann", comment="so be it"))
        s.then(Answered)
        assert s.failures() == []
        told = [
            (type(e).__name__, {name: getattr(e, name) for name in SAME if hasattr(e, name)})
            for e in s.history
        ]  # fmt: skip
        return told, decision


async def test_the_same_events_in_the_same_order_whichever_framework_it_is() -> None:
    stories = [await story(desk, agent, approve=True) for desk, agent in FOUR.items()]
    ours = stories[0][0]
    assert [name for name, _ in ours] == [
        "Asked",
        "HelperModelRequested",
        "HelperModelReplied",
        "HelperLookUpCalled",
        "HelperToolReturned",
        "HelperModelRequested",
        "HelperModelReplied",
        "HelperToolProposed",
        "HelperToolApproved",
        "HelperRefundCalled",
        "HelperToolReturned",
        "HelperModelRequested",
        "HelperModelReplied",
        "Answered",
    ]
    for told, _ in stories[1:]:
        assert told == ours


def test_the_program_says_that_they_are_the_same() -> None:
    root = Path(__file__).parents[3]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(root), *filter(None, sys.path)])}
    command = [sys.executable, "-m", "examples.agents.four_ways"]
    ran = subprocess.run(command, cwd=root, env=env, capture_output=True, text=True, timeout=100, check=True)
    *events, last = ran.stdout.splitlines()
    assert last == "the same four times"
    assert (events[0], events[-1], len(events)) == ("Asked", "Answered", 14)


async def test_the_same_question_to_the_same_people() -> None:
    for desk, agent in FOUR.items():
        _, decision = await story(desk, agent, approve=True)
        assert decision.question == "May helper call refund?"
        assert tuple(decision.to) == tuple(BY_DESK.to)
        assert decision.about == {
            "agent": "helper",
            "tool": "refund",
            "args": {"order": "7", "amount": "9.50"},
            "call": "1-0",
        }


async def test_what_was_denied_is_executed_in_none() -> None:
    before = len(paid)
    names = []
    for desk, agent in FOUR.items():
        told, _ = await story(desk, agent, approve=False)
        names.append([name for name, _ in told])
        assert "HelperRefundCalled" not in names[-1]
        denied = [fields for name, fields in told if name == "HelperToolReturned"][-1]
        assert (denied["outcome"], denied["content"]) == ("denied", "The call was denied by ann: so be it")
    assert names[1:] == names[:1] * 3
    assert len(paid) == before


async def test_what_was_approved_is_executed_once_in_each() -> None:
    for desk, agent in FOUR.items():
        paid.clear()  # keys of virtual runs are the same in each
        await story(desk, agent, approve=True)
        assert len(paid) == 1


@pytest.mark.parametrize("desk", FOUR, ids=lambda desk: desk.name)
def test_none_has_a_graph_that_is_found_amiss(desk: Choreography) -> None:
    assert list(findings_in(graph_of(desk))) == []


def test_each_event_is_one_of_those_that_all_agents_have() -> None:
    for agent in FOUR.values():
        assert issubclass(agent.events.ModelReplied, ModelReplied)
        assert issubclass(agent.events.ToolProposed, ToolProposed)
        assert issubclass(agent.events.ToolReturned, ToolReturned)
        assert issubclass(agent.events.called["refund"], ToolCalled)
