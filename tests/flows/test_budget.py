"""The loop with a budget of the examples, on virtual time."""

from examples.budget import BudgetSpent, Drafted, EssayDone, EssayWanted, essays

from farandole.testing import Scenario


async def test_a_draft_that_is_good_enough_ends_the_loop() -> None:
    async with Scenario(essays) as s:
        await s.when(EssayWanted(topic="dances", quality=3, cents=100))
        s.then_only(Drafted, Drafted, Drafted, EssayDone(drafts=3, spent=21))


async def test_a_budget_that_is_spent_ends_the_loop() -> None:
    async with Scenario(essays) as s:
        await s.when(EssayWanted(topic="dances", quality=3, cents=10))
        s.then_only(Drafted, Drafted, BudgetSpent(quality=2, spent=14))


async def test_a_loop_may_be_long() -> None:
    async with Scenario(essays) as s:
        await s.when(EssayWanted(topic="dances", quality=300, cents=10_000))
        s.then(EssayDone(drafts=300, spent=2_100))
