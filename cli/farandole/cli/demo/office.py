"""The service of the bakery's office: what waits for you, what is tried again and again, and what nobody does."""

from decimal import Decimal
from typing import Annotated, Final

from pydantic import BaseModel

from farandole.reactors import Ask, Choreography, Retry
from farandole.schemas import Answer, End, Event, Search, Start

from .events import CakeOrdered, MessageChosen

bakery = Choreography("bakery", service="office", owner="demo")
bakery.know(CakeOrdered, MessageChosen)


class CakeComplainedOf(Start):
    """A customer wants the money back."""

    customer: Annotated[str, Search]
    price: Decimal
    complaint: str


class Refund(BaseModel):
    """What is to be decided on."""

    customer: str
    amount: Decimal
    complaint: str


class RefundGranted(Answer):
    """The customer gets the money back."""


class RefundRefused(Answer):
    """The customer does not."""

    why: str = ""


class ComplaintSettled(End):
    said: str


class FlourRunOut(Start):
    """The bakery needs flour."""

    sacks: int


class FlourBrought(End):
    """The mill has brought it."""


class WeddingCakeOrdered(Start):
    """A cake that nobody here can make whole."""

    customer: Annotated[str, Search]
    tiers: int


class FigurinesWanted(Event):
    """Somebody has to make figures of sugar; no reactor of this bakery does."""

    count: int


@bakery.reactor
async def ask_for_refund(complaint: CakeComplainedOf) -> Ask[RefundGranted | RefundRefused]:
    refund = Refund(customer=complaint.customer, amount=complaint.price, complaint=complaint.complaint)
    return Ask(f"Give {complaint.customer} the money back?", RefundGranted, RefundRefused, about=refund)


@bakery.reactor
async def settle(answer: RefundGranted | RefundRefused) -> ComplaintSettled:
    return ComplaintSettled(said="paid back" if isinstance(answer, RefundGranted) else answer.why or "sorry, no")


@bakery.reactor(retry=Retry(attempts=1000, first="2s", most="20s"))
async def call_the_mill(flour: FlourRunOut) -> FlourBrought:
    raise ConnectionError("the mill does not answer")


@bakery.reactor
async def plan_wedding_cake(order: WeddingCakeOrdered) -> FigurinesWanted:
    return FigurinesWanted(count=2 * order.tiers)


REQUESTS: Final = (
    (
        "complaint",
        CakeComplainedOf(customer="Gina", price=Decimal("24.00"), complaint="My name is on it, but with a J."),
        "waits for you to decide",
    ),
    ("flour", FlourRunOut(sacks=3), "the mill never answers; tried again and again"),
    ("wedding", WeddingCakeOrdered(customer="Hugo", tiers=3), "stuck on purpose: nobody makes figures of sugar"),
)
"""What the office is asked for: how ids begin, the starts, and what is special about each."""
