"""Agents to talk to, and some that cannot be talked to."""

import os
from decimal import Decimal

from pydantic_ai import Agent as Other

from farandole.agents import Agent, Call, RunTool, Tool, scripted
from farandole.agents.frameworks.pydantic_ai import Durability, adapt
from farandole.reactors import Choreography
from farandole.schemas import End, Event, Signal, Start

desk = Choreography("desk")
SECONDS = float(os.environ.get("DESK_SECONDS", "0"))


class Asked(Start):
    question: str
    urgent: bool = False


class AskedMore(Signal):
    question: str


class Told(Event):
    text: str


class ExpertAsked(Start):
    """Ask an expert."""

    question: str


class BossAsked(Start):
    question: str


class PaymentAsked(Start):
    """Have an order paid back."""

    order: str


class Answered(End):
    text: str


async def look_up(order: str) -> str:
    """What became of an order."""
    return f"order {order} was lost \x1b[31m"


async def refund(order: str, amount: str) -> str:
    """Pay an order back."""
    return f"{amount} paid back"


LONG = "It was lost on the way, and you get 9.50 back."
helper = Agent(
    "helper",
    takes=Asked | AskedMore,
    gives=Told,
    model=scripted(
        Call("look_up", order="7"), Call("refund", order="7", amount="9.50"), LONG, "Gladly.", "At nine.",
        seconds=SECONDS,
    ),
    tools=[look_up, Tool(refund, needs_approval=True)],
    continues="self",
    price=lambda reply: Decimal("0.01"),
)  # fmt: skip
expert = Agent("expert", takes=ExpertAsked, gives=Answered, model=scripted("Parcels get lost.", seconds=SECONDS))
clerk = Agent(
    "clerk",
    takes=PaymentAsked,
    gives=Answered,
    model=scripted(Call("refund", order="7", amount="1.25"), "Paid."),
    tools=[Tool(refund, needs_approval=True)],
)
boss = Agent(
    "boss",
    takes=BossAsked,
    gives=Told,
    model=scripted(Call("payment_asked", order="7"), "It is paid."),
    tools=[RunTool(PaymentAsked, Answered, name="payment_asked")],
)
forgetful = Agent("forgetful", takes=Asked | AskedMore, gives=Told, model=scripted("What?"))
deaf = Agent("deaf", takes=Told, gives=Answered, model=scripted("What?"))
homeless = Agent("homeless", takes=Asked, gives=Told, model=scripted("Here."))
broken = Choreography("broken")
breaking = Agent("breaking", takes=Asked, gives=Told, model=scripted("x"), budget=None, turns=1)
for agent in (helper, expert, clerk, boss):
    agent.serve(desk)
forgetful.serve(Choreography("forgetful"))
deaf.serve(Choreography("deaf"))
breaking.serve(broken)

abroad = adapt(
    "abroad",
    Other(scripted("Parcels get lost abroad.", seconds=SECONDS), name="abroad", capabilities=[Durability()]),
    takes=ExpertAsked,
    gives=Answered,
)
abroad.serve(Choreography("abroad"))
