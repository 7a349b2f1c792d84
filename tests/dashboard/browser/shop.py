"""A shop in which everything happens that a page can show: a worker serves it, and people look at it in a browser."""

import asyncio
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from farandole.reactors import After, Ask, Child, ChildDone, Choreography, Failed, GiveUp, Retry, Run, Step
from farandole.schemas import Answer, End, Event, Personal, Search, Secret, Signal, Start

shop = Choreography("shop")


class Address(BaseModel):
    street: str
    town: str = "Arles"


class OrderPlaced(Start):
    """A customer has ordered."""

    customer: Annotated[str, Search]
    amount: Decimal
    address: Annotated[Address, Personal]
    card: str = "4242"
    """0000 is declined, 5555 works at the third try, 9999 never answers."""
    items: list[str] = Field(default_factory=list)
    delivery: Literal["post", "courier"] = "post"
    gift: bool = False
    voucher: Annotated[str, Secret] = ""


class PaymentTaken(Event):
    receipt: str
    amount: Decimal


class OrderPacked(Event):
    box: str


class OrderShipped(End):
    tracking: str


class OrderRefused(End):
    why: str


class ReturnAsked(Start):
    """A customer wants money back."""

    order: str
    customer: Annotated[str, Search]
    amount: Decimal
    letter: str = ""


class Refund(BaseModel):
    order: str
    amount: Decimal
    letter: str


class Granted(Answer):
    """The customer gets the money."""

    amount: Decimal
    by_voucher: bool = False


class Denied(Answer):
    reason: str


class ReturnDone(End):
    paid: Decimal


class MembershipBegun(Start):
    customer: Annotated[str, Search]


class RenewalDue(Event):
    year: int


class ParcelLeft(Start):
    """A parcel lies at the counter, until somebody comes for it."""

    customer: Annotated[str, Search]


class ParcelCollected(Signal):
    """The customer came."""

    signed_by: str
    pieces: int = 1
    remark: str | None = None


class ParcelHanded(End):
    signed_by: str


class StockWanted(Start):
    shelves: int = 3


class ShelfWanted(Start):
    shelf: int


class ShelfCounted(End):
    pieces: int


class StockCounted(End):
    pieces: int


class LetterCame(Start):
    """Nobody reads letters, so a run of one stands still."""

    text: str


class LetterFiled(Event):
    place: str


async def _away() -> None:
    raise ConnectionError("the bank does not answer")


@shop.reactor(retry=Retry(attempts=20, first="200ms", factor=3, most="10m", jitter=False))
async def take_payment(order: OrderPlaced, step: Step) -> PaymentTaken:
    if order.card == "0000":
        raise GiveUp(f"the card of {order.customer} was declined")
    if order.card == "9999" or (order.card == "5555" and step.attempt < 3):
        await _away()
    await asyncio.sleep(0.02)
    return PaymentTaken(receipt=f"receipt-{step.key[:8]}", amount=order.amount)


_lifted: set[str] = set()


@shop.reactor
async def pack(order: OrderPlaced, step: Step) -> OrderPacked:
    if "boulder" in order.items and step.key not in _lifted:
        _lifted.add(step.key)  # somebody helps the second time
        raise GiveUp("a boulder is too heavy for one")
    await asyncio.sleep(0.03)
    return OrderPacked(box=f"box-{step.key[:6]}")


@shop.reactor
async def ship(paid: PaymentTaken, packed: OrderPacked, run: Run[OrderPlaced]) -> OrderShipped:
    return OrderShipped(tracking=f"{packed.box}-{run.start.delivery}")


@shop.reactor
async def judge(asked: ReturnAsked) -> Ask[Granted | Denied]:
    about = Refund(order=asked.order, amount=asked.amount, letter=asked.letter)
    return Ask("Refund this order?", Granted, Denied, about=about, to=["role:clerk"], within="7d",
               otherwise=Denied(reason="nobody answered"))  # fmt: skip


@shop.reactor
async def refund(granted: Granted) -> ReturnDone:
    return ReturnDone(paid=granted.amount)


@shop.reactor
async def deny(denied: Denied) -> ReturnDone:
    return ReturnDone(paid=Decimal(0))


@shop.reactor
async def renew(begun: MembershipBegun | RenewalDue) -> After[RenewalDue]:
    return After("365d", RenewalDue(year=2027))


@shop.reactor
async def hand_over(left: ParcelLeft, collected: ParcelCollected) -> ParcelHanded:
    return ParcelHanded(signed_by=collected.signed_by)


@shop.reactor
async def send_counters(wanted: StockWanted) -> list[Child[ShelfWanted]]:
    return [Child(ShelfWanted(shelf=n)) for n in range(wanted.shelves)]


@shop.reactor
async def count(wanted: ShelfWanted) -> ShelfCounted:
    return ShelfCounted(pieces=7 * (wanted.shelf + 1))


@shop.reactor(each=ShelfWanted)
async def add_up(done: list[ChildDone[ShelfCounted]]) -> StockCounted:
    return StockCounted(pieces=sum(each.end.pieces for each in done))


@shop.reactor
async def file(letter: LetterCame) -> LetterFiled:
    return LetterFiled(place="drawer")


@shop.reactor(of="count")
async def recount(failed: Failed[ShelfWanted]) -> ShelfCounted:
    return ShelfCounted(pieces=0)


shop.schedule(StockWanted(), name="stock-taking", cron="0 2 * * *", tz="Europe/Paris")
