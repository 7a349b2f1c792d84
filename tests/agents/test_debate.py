"""The debate of the examples, on virtual time."""

from examples.agents.debate import Agreed, Claimed, Objected, QuestionPut, Undecided, debate

from farandole.testing import Scenario


async def test_a_debate_goes_on_until_both_agree() -> None:
    async with Scenario(debate) as s:
        await s.when(QuestionPut(question="Which fruit is sweetest?"))
        s.then(Claimed, Objected(objection="Fresh ones are not."), Claimed)
        s.then(Agreed(opinion="Dried figs are sweetest.", rounds=2))


async def test_a_debate_has_no_more_rounds_than_it_may() -> None:
    async with Scenario(debate) as s:
        await s.when(QuestionPut(question="Which fruit is sweetest?", rounds=1))
        s.then(Undecided(opinion="Figs are sweetest."))
