"""Calls that a person must allow."""

from dataclasses import replace
from decimal import Decimal

import pytest

from farandole.agents import Agent, Approval, Call, FoundTool, RunTool, Tool, ToolUse, scripted
from farandole.agents.approval import Arguments
from farandole.reactors import Choreography, CommandRefused
from farandole.schemas import End, Start
from farandole.testing import Scenario


class Asked(Start):
    question: str


class Answered(End):
    text: str


class Bank:
    def __init__(self) -> None:
        self.paid: list[tuple[str, Decimal]] = []


async def refund(order: str, amount: Decimal, bank: Bank) -> str:
    """Pay an order back."""
    bank.paid.append((order, amount))
    return "paid"


def small(args: Arguments) -> bool:
    return Decimal(args["amount"]) > 10


SCRIPT = scripted([Call("refund", order="7", amount="3.50"), Call("refund", order="8", amount="99")], "Done.")
TWO_DAYS = Approval(to=["ann"], within="2d")


def desk_of(tool: Tool) -> tuple[Choreography, Agent, Bank]:
    agent, desk, bank = (
        Agent("helper", takes=Asked, gives=Answered, model=SCRIPT, tools=[tool]),
        Choreography("desk"),
        Bank(),
    )
    agent.serve(desk)

    @desk.provide
    def the_bank() -> Bank:
        return bank

    return desk, agent, bank


async def test_a_call_is_made_as_it_was_asked_about() -> None:
    desk, agent, bank = desk_of(Tool(refund, needs_approval=TWO_DAYS))
    async with Scenario(desk) as s:
        await s.when(Asked(question="Refund them"), after="1d")
        assert bank.paid == []
        asked = await s.use(lambda client: client.decisions(to="ann"))
        about = {decision.about["call"]: decision for decision in asked if decision.about is not None}
        assert about["0-1"].question == "May helper call refund?"
        assert about["0-1"].about == ToolUse(
            agent="helper", tool="refund", args={"order": "8", "amount": "99"}, call="0-1"
        ).model_dump(mode="json")
        await s.use(lambda client: client.run("run").decide(about["0-1"], agent.events.ToolApproved(), by="ann"))
        assert bank.paid == [("8", Decimal(99))]
        no = agent.events.ToolDenied(comment="too little")
        await s.use(lambda client: client.run("run").decide(about["0-0"], no, by="ann"))
        assert bank.paid == [("8", Decimal(99))]
        s.then(Answered(text="Done."))
        returned = {e.call: e for e in s.history if isinstance(e, agent.events.ToolReturned)}
        assert (returned["0-1"].outcome, returned["0-1"].content) == ("success", "paid")
        assert (returned["0-0"].outcome, returned["0-0"].content) == (
            "denied",
            "The call was denied by ann: too little",
        )


async def test_an_answer_counts_for_no_other_call() -> None:
    desk, agent, bank = desk_of(Tool(refund, needs_approval=TWO_DAYS))
    async with Scenario(desk) as s:
        await s.when(Asked(question="Refund them"))
        first, second = await s.use(lambda client: client.decisions(to="ann"))
        forged = replace(first, about=second.about, hash=second.hash)
        with pytest.raises(CommandRefused):
            await s.use(lambda client: client.run("run").decide(forged, agent.events.ToolApproved(), by="ann"))
        assert bank.paid == []


async def test_nobody_answers_and_the_call_is_denied() -> None:
    desk, agent, bank = desk_of(Tool(refund, needs_approval=TWO_DAYS))
    async with Scenario(desk) as s:
        await s.when(Asked(question="Refund them"), after="2d")
        s.then(Answered(text="Done."))
        assert bank.paid == []
        assert s.last(agent.events.ToolReturned).content == "The call was denied: nobody answered in time"


async def test_the_arguments_say_whether_a_person_is_asked() -> None:
    desk, agent, bank = desk_of(Tool(refund, needs_approval=small))
    async with Scenario(desk) as s:
        await s.when(Asked(question="Refund them"))
        assert bank.paid == [("7", Decimal("3.50"))]
        await s.when(agent.events.ToolApproved(by="bob"))
        assert bank.paid == [("7", Decimal("3.50")), ("8", Decimal(99))]
        s.then(Answered(text="Done."))


class LoanAsked(Start):
    """Ask for a loan."""

    amount: int


class Lent(End):
    text: str


async def lend(asked: LoanAsked) -> Lent:
    return Lent(text=f"{asked.amount} lent")


def a_bank() -> Choreography:
    bank = Choreography("bank")
    bank.reactor(lend)
    return bank


@pytest.mark.parametrize(
    "tool",
    [
        RunTool(LoanAsked, Lent, choreography="bank", name="loan", needs_approval=TWO_DAYS),
        FoundTool("bank", name="loan", needs_approval=TWO_DAYS),
    ],
    ids=["known", "found"],
)
async def test_a_run_is_started_once_a_person_allowed_it(tool: RunTool | FoundTool) -> None:
    script = scripted([Call("loan", amount=5), Call("loan", amount=500)], "Done.")
    agent, desk = Agent("helper", takes=Asked, gives=Answered, model=script, tools=[tool]), Choreography("desk")
    agent.serve(desk)
    async with Scenario(desk, a_bank()) as s:
        await s.when(Asked(question="Lend me some"), after="1d")
        assert not any(isinstance(e, agent.events.called["loan"]) for e in s.history)
        asked = await s.use(lambda client: client.decisions(to="ann"))
        about = {decision.about["call"]: decision for decision in asked if decision.about is not None}
        assert about["0-1"].question == "May helper call loan?"
        await s.use(lambda client: client.run("run").decide(about["0-1"], agent.events.ToolDenied(), by="ann"))
        await s.use(lambda client: client.run("run").decide(about["0-0"], agent.events.ToolApproved(), by="ann"))
        s.then(Answered(text="Done."))
        returned = {e.call: e for e in s.history if isinstance(e, agent.events.ToolReturned)}
        assert [e.args for e in s.history if isinstance(e, agent.events.called["loan"])] == [{"amount": 5}]
    assert (returned["0-0"].outcome, returned["0-0"].content) == ("success", "5 lent")
    assert returned["0-1"].outcome == "denied"


async def test_a_call_that_two_must_allow_waits_for_the_second() -> None:
    desk, agent, bank = desk_of(Tool(refund, needs_approval=replace(TWO_DAYS, to=["ann", "bob"], quorum=2)))
    async with Scenario(desk) as s:
        await s.when(Asked(question="Refund them"), after="1h")
        for who, paid in (("ann", 0), ("bob", 2)):
            for decision in await s.use(lambda client: client.run("run").decisions()):
                yes = agent.events.ToolApproved()
                await s.use(
                    lambda client, decision=decision, yes=yes, who=who: client.run("run").decide(decision, yes, by=who)  # type: ignore[misc]
                )
            assert len(bank.paid) == paid
        s.then(Answered(text="Done."))
