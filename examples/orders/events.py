"""What happens to an order: the events that three services share. It needs nothing but `farandole.schemas`."""

from decimal import Decimal

from farandole.schemas import End, Event, Signal, Start


class OrderPlaced(Start):
    """A customer has ordered."""

    customer: str
    amount: Decimal
    address: str
    card: str = "4242"


class AddressChanged(Signal):
    """The customer moved while the order was on its way."""

    address: str


class PaymentTaken(Event):
    receipt: str
    amount: Decimal


class OrderPacked(Event):
    box: str


class OrderShipped(End):
    tracking: str
    address: str


class OrderRefused(End):
    why: str
