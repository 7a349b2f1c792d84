"""Who orders, and what is special about each order."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import cycle
from typing import Final

from .delivery import STEEP_STREET
from .events import CakeOrdered
from .payments import FLAKY_CARD, STOLEN_CARD

_GOOD: Final = "4242"


@dataclass(frozen=True, slots=True)
class Customer:
    """One who orders a cake.

    Attributes:
        order: the start of the run.
        message: what is to be written on it.
        thinks: seconds until the message is sent.
        story: what to look out for.
    """

    order: CakeOrdered
    message: str
    thinks: float
    story: str


def _customer(
    name: str, cake: str, price: str, thinks: float, story: str, card: str = _GOOD, street: str = "Mill Lane"
) -> Customer:
    order = CakeOrdered(customer=name, cake=cake, price=Decimal(price), card=card, street=street)
    return Customer(order, f"Happy birthday, {name}!", thinks, story)


CUSTOMERS: Final = (
    _customer("Ada", "lemon", "18.00", 0.5, "all goes well"),
    _customer("Ben", "carrot", "21.50", 0.5, "the bank fails to answer twice; tried again", card=FLAKY_CARD),
    _customer(
        "Cleo", "chocolate", "24.00", 0.5, "the card is declined, which a reactor of failures takes", card=STOLEN_CARD
    ),
    _customer("Dina", "lemon", "18.00", 0.5, "delivery fails for good; somebody retries it", street=STEEP_STREET),
    _customer("Emil", "chocolate", "24.00", 3.0, "the cake waits for the customer's message"),
    _customer("Finn", "carrot", "21.50", 1.0, "all goes well"),
)
"""The six of ``--once``; then they come again."""


def arrivals() -> Iterator[tuple[Customer, float]]:
    """Customers without end, each with the seconds until the next one."""
    for customer in cycle(CUSTOMERS):
        yield customer, random.uniform(1.5, 3.5)  # noqa: S311
