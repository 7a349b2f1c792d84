"""Agents of two teams in one choreography: one takes what the other gives, by a class of its own with fewer fields."""

from tests.agents.teams import quality, support

from farandole.testing import Scenario


def test_neither_imports_the_other() -> None:
    assert quality.RefundProposed is not support.RefundProposed
    assert not {"support", "quality"} & {*vars(support), *vars(quality)}


async def test_an_agent_takes_what_the_agent_of_another_team_gives() -> None:
    async with Scenario(support.shop, quality.shop) as s:
        await s.when(support.ComplaintMade(customer="ann", text="Where is order 7?"))
        s.then(support.Closed(note="9.50 for 7"))
        s.then(quality.CauseFound(text="Why was order 7 paid back? A parcel was lost."))
        assert s.failures() == []
