"""A test: given, when, then, virtual time."""

from decimal import Decimal

from tests.typing.apps.a01_order import (
    AddressChanged,
    Bank,
    OrderPacked,
    OrderPlaced,
    OrderRefused,
    OrderShipped,
    PaymentTaken,
    bank,
    orders,
    take_payment,
)

from farandole.projections import State, on
from farandole.reactors import Step
from farandole.testing import Scenario


class OrderState(State):
    address: str = ""

    @on
    def placed(self, e: OrderPlaced) -> None:
        self.address = e.address

    @on
    def moved(self, e: AddressChanged) -> None:
        self.address = e.address


class BrokenBank(Bank):
    async def charge(self, amount: Decimal, idempotency_key: str) -> str:
        raise ConnectionError("broken")


async def test_a_refused_card_refuses_the_order() -> None:
    async with Scenario(orders) as s:
        s.replace(bank, BrokenBank(""))
        await s.when(OrderPlaced(order_id="1", amount=Decimal(3), address="x"), after="10m")
        s.then(OrderRefused(why="1: broken"))


async def test_it_ships_to_the_newest_address() -> None:
    async with Scenario(orders) as s:
        await s.given(OrderPlaced(order_id="1", amount=Decimal(3), address="x"), OrderPacked(box="b"))
        await s.when(AddressChanged(address="y"))
        await s.when(PaymentTaken(receipt="r"), after="10m")
        s.then(OrderShipped(tracking="b-r-y"))


async def test_a_reactor_is_a_function() -> None:
    b = Bank("")
    order = OrderPlaced(order_id="1", amount=Decimal(3), address="x")
    assert await take_payment(order, Step(), b) == PaymentTaken(receipt="r-1")
