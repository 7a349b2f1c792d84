"""What an agent of another framework may spend: over its legs, and asked before each call that is made."""

from decimal import Decimal
from typing import Any

import pytest
from pydantic_ai import Agent, Tool
from tests.agents.frameworks.journal import Journal

from farandole.agents import Approval, Budget, BudgetSpent, Call, scripted
from farandole.agents.frameworks import Adapted, durably
from farandole.agents.frameworks.pydantic_ai import Durability, adapt
from farandole.reactors import Choreography
from farandole.schemas import End, Start
from farandole.testing import Scenario

SCRIPT = (Call("look_up"), Call("pay"), "Done.")


class Asked(Start):
    question: str


class Answered(End):
    text: str


async def look_up() -> str:
    return "found"


async def pay() -> str:
    return "paid"


def an_agent() -> Agent[Any, Any]:
    tools = [look_up, Tool(pay, requires_approval=True)]
    return Agent(scripted(*SCRIPT), name="helper", tools=tools, capabilities=[Durability()])


def served(budget: Budget) -> tuple[Choreography, Adapted]:
    desk = Choreography("desk")
    helper = adapt(
        "helper",
        an_agent(),
        takes=Asked,
        gives=Answered,
        approval=Approval(within="1d"),
        price=lambda reply: Decimal("0.01"),
        budget=budget,
    )
    helper.serve(desk)
    return desk, helper


@pytest.mark.parametrize(
    ("budget", "what"),
    [
        (Budget(usd="0.02"), "0.02 of 0.02 USD"),
        (Budget(calls=2), "2 of 2 calls of the model"),
        (Budget(tool_calls=2), "2 of 2 calls of tools"),
    ],
)
async def test_what_earlier_legs_spent_counts(budget: Budget, what: str) -> None:
    desk, helper = served(budget)
    async with Scenario(desk) as s:
        await s.when(Asked(question="Pay."))
        await s.when(helper.events.ToolApproved(by="ann"))
        (failure,) = s.failures()
        assert what in str(failure)
        s.then_not(Answered)


async def test_what_is_within_the_budget_is_done() -> None:
    desk, helper = served(Budget(usd="0.03", calls=3, tool_calls=3))
    async with Scenario(desk) as s:
        await s.when(Asked(question="Pay."))
        await s.when(helper.events.ToolApproved(by="ann"))
        s.then(Answered(text="Done."))


async def test_what_is_recorded_is_not_asked_for_again() -> None:
    journal = Journal()
    agent = Agent(scripted(Call("look_up"), "Done."), name="helper", tools=[look_up], capabilities=[Durability()])
    with durably(journal.step()):
        await agent.run("Look.")
    with durably(journal.step(2), budget=Budget(calls=1)):  # made smaller by a release
        assert (await agent.run("Look.")).output == "Done."
    with pytest.raises(BudgetSpent, match="1 of 1"), durably(Journal().step(), budget=Budget(calls=1)):
        await agent.run("Look.")
