"""The public API of agents as users type it, for the type checkers; never run."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any

from pydantic_ai.messages import ModelMessage
from pydantic_ai.models.test import TestModel

from farandole.agents import (
    Agent,
    Approval,
    Blocked,
    Budget,
    Call,
    FoundTool,
    Provided,
    Remembering,
    Retries,
    RunTool,
    Tool,
    recent,
    scripted,
)
from farandole.projections import Fact, Forget, Memory, Recorded, on
from farandole.reactors import ChildDone, ChildFailed, Choreography, Failed, Retry, Step
from farandole.schemas import End, Event, Start
from farandole.testing import Scenario

desk = Choreography("desk")


class Asked(Start):
    question: str


class Answered(End):
    text: str


class Handed(Event):
    why: str


class Customers(Memory):
    @on
    def asked(self, asked: Recorded[Asked]) -> Fact:
        return Fact(about="ann", text=asked.event.question)

    @on
    def handed(self, handed: Recorded[Handed | Answered]) -> list[Fact | Forget]:
        return [Forget(about="ann")]


class Bank: ...


async def look_up(order: str) -> str:
    return order


def pay(order: str, amount: Decimal, bank: Bank, step: Step, url: Annotated[str, Provided]) -> str:
    return step.key


def large(args: Mapping[str, Any]) -> bool | Approval:
    return Approval(to=["ann"], within="1d") if args["amount"] > "10" else False


def polite(asked: Asked) -> Event | None:
    if "please" not in asked.question:
        raise Blocked("not polite")
    return None


async def short(given: Answered) -> None: ...


def last(messages: Sequence[ModelMessage]) -> Sequence[ModelMessage]:
    return messages[-3:]


helper = Agent(
    "helper",
    takes=Asked,
    gives=Answered | Handed,
    model="openai:gpt-5",
    instructions=lambda asked: f"Answer {asked.question}",
    prompt=lambda asked: ["look", asked.question],
    tools=[
        look_up,
        Tool(pay, needs_approval=large, retry=Retry(attempts=2)),
        RunTool(Asked, Answered, "library"),
        FoundTool("press"),
    ],
    turns=5,
    budget=Budget(usd="0.50", tokens=10_000),
    retries=Retries(malformed=1, transport=Retry(attempts=3)),
    before=[polite],
    after=[short],
    context=recent(20),
    memory=Remembering(memory=Customers, about=lambda asked: asked.question),
    price=lambda reply: Decimal(1),
    settings={"temperature": 0.0},
)
other = Agent("other", takes=Handed, gives=Answered, model=TestModel(), continues=helper, context=last)
writer = Agent(
    "writer",
    takes=list[ChildDone[Answered] | ChildFailed[Asked]],
    each=Asked,
    gives=Answered,
    model=scripted([Call("look_up", order="7")], "Done."),
)
served = helper.serve(desk)


@desk.reactor(of="helper.model")
async def refuse(failed: Failed) -> Answered:
    return Answered(text=failed.error)


async def test() -> None:
    async with Scenario(desk) as s:
        s.replace(served.model, TestModel())
        await s.when(Asked(question="?"))
        await s.when(helper.events.ToolApproved(by="ann", comment="well"))
        replied = s.last(helper.events.ModelReplied)
        cost: Decimal | None = replied.cost
        print(cost)
