"""Simple merge: ways that exclude one another come together; whichever was taken leads on. `A | B` takes either."""

from farandole.reactors import Choreography
from farandole.schemas import End, Event, Start

shop = Choreography("shop")


class BasketFilled(Start):
    cash: bool


class PaidInCash(Event):
    coins: int = 3


class PaidByCard(Event):
    card: str = "4242"


class GoodsDelivered(End):
    paid: str


@shop.reactor
async def check_out(basket: BasketFilled) -> PaidInCash | PaidByCard:
    return PaidInCash() if basket.cash else PaidByCard()


@shop.reactor
async def deliver(paid: PaidInCash | PaidByCard) -> GoodsDelivered:
    return GoodsDelivered(paid="in cash" if isinstance(paid, PaidInCash) else "by card")
