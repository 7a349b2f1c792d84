"""The team of the support desk. It knows nobody else."""

from decimal import Decimal

from farandole.agents import Agent, scripted
from farandole.reactors import Choreography
from farandole.schemas import End, Event, Start

shop = Choreography("shop", service="support")


class ComplaintMade(Start):
    customer: str
    text: str


class RefundProposed(Event):
    """Pay the customer back."""

    order: str
    customer: str
    amount: Decimal


class Closed(End):
    note: str


helper = Agent(
    "helper",
    takes=ComplaintMade,
    gives=RefundProposed,
    model=scripted(RefundProposed(customer="ann", order="7", amount=Decimal("9.50"))),
)
helper.serve(shop)


@shop.reactor
async def close(proposed: RefundProposed) -> Closed:
    return Closed(note=f"{proposed.amount} for {proposed.order}")
