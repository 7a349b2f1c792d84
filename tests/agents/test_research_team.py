"""The team of the examples, on virtual time."""

import pytest
from examples.research import finding, planning, publishing
from examples.research.events import NotPublished, Planned, Published, Researched, TopicGiven, Written

from farandole.agents import ToolReturned
from farandole.testing import Scenario

EVENTS = publishing.publisher.events


async def test_a_team_plans_finds_out_writes_and_publishes_what_an_editor_allows() -> None:
    async with Scenario(planning.team, publishing.team, finding.library) as s:
        await s.when(TopicGiven(topic="stone fruit"))
        s.then(Planned, Written(title="Stone fruit", text="Figs are sweet. Plums are sweet. Cherries are sweet."))
        s.then_not(EVENTS.called["publish"], Published)
        await s.when(EVENTS.ToolApproved(by="ann"), after="1d")
        (called,) = (e for e in s.history if isinstance(e, EVENTS.called["publish"]))
        assert called.args == s.last(Written).model_dump()
        assert s.last(Published).address.startswith("https://press.example.org/")
        assert s.failures() == []


async def test_what_an_editor_does_not_allow_is_not_published() -> None:
    async with Scenario(planning.team, publishing.team, finding.library) as s:
        await s.when(TopicGiven(topic="stone fruit"))
        await s.when(EVENTS.ToolDenied(by="ann", comment="too sweet"))
        s.then(NotPublished(why="The call was denied by ann: too sweet", by_whom="an editor"))
        s.then_not(EVENTS.called["publish"])


@pytest.mark.parametrize("workers", [1, 3])
async def test_each_researcher_has_a_run_of_its_own(workers: int) -> None:
    async with Scenario(planning.team, publishing.team, finding.library, workers=workers) as s:
        await s.when(TopicGiven(topic="stone fruit"))
        s.then(Written)
        # What they called and heard stands in their histories, and not in the team's.
        assert not [e for e in s.history if isinstance(e, ToolReturned | Researched)]
        assert not await s.use(lambda client: client.run("run").children())
