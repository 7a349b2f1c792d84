"""Orders per day; and a test: given, when, then, virtual time."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from sqlalchemy import Connection, text
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

from farandole.projections import Projection, State, on
from farandole.reactors import Recorded, Step
from farandole.testing import Scenario

UPSERT = text(
    "insert into orders_per_day values (:day, :count) "
    "on conflict (day) do update set count = orders_per_day.count + :count"
)


class OrdersPerDay(Projection):
    version = 1
    table = "orders_per_day"

    @on
    def placed(self, rows: Iterable[Recorded[OrderPlaced]], db: Connection) -> None:
        days: dict[date, int] = {}
        for r in rows:
            days[r.at.date()] = days.get(r.at.date(), 0) + 1
        for day, count in days.items():
            db.execute(UPSERT, {"day": day, "count": count})


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
