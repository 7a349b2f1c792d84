"""What happens to a cake from its order to its door: the events that three services share."""

from decimal import Decimal
from typing import Annotated

from farandole.schemas import End, Event, Search, Signal, Start


class CakeOrdered(Start):
    """A customer has ordered a cake."""

    customer: Annotated[str, Search]
    cake: str
    price: Decimal
    card: str
    street: str


class MessageChosen(Signal):
    """The customer says what is to be written on the cake."""

    message: str


class PaymentTaken(Event):
    receipt: str


class CakeBaked(Event):
    oven: int


class CakeDecorated(Event):
    message: str


class CakeDelivered(End):
    at_door: str


class OrderDeclined(End, final=True):
    """Nothing more is done for the order: what is owed is dropped."""

    why: str
