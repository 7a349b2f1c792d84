"""Each night the takings of 500 shops are counted: a run that starts 500 others, and waits for what they found.

farandole work examples.nightly:takings --store kafka://localhost:9092
"""

from farandole.reactors import Child, ChildDone, ChildFailed, Choreography, GiveUp, Step
from farandole.schemas import End, Start

takings = Choreography("takings")


class NightFell(Start):
    shops: int = 500


class ShopClosed(Start):
    number: int


class TillCounted(End):
    shop: int
    cents: int


class NightReported(End):
    counted: int
    cents: int
    missing: list[int]


class Tills:
    """Where the tills are. One in a hundred shops has lost its own."""

    async def count(self, shop: int, key: str) -> int:
        if shop % 100 == 13:
            raise GiveUp("the till is gone")
        return shop * 100


@takings.provide
def tills() -> Tills:
    return Tills()


takings.schedule(NightFell(), name="nightly", cron="0 2 * * *", tz="Europe/Paris", overlap="skip")


@takings.reactor
async def close_shops(night: NightFell) -> list[Child[ShopClosed]]:
    return [Child(ShopClosed(number=number)) for number in range(night.shops)]


@takings.reactor(concurrency=20)
async def count_till(shop: ShopClosed, step: Step, tills: Tills) -> TillCounted:
    return TillCounted(shop=shop.number, cents=await tills.count(shop.number, step.key))


@takings.reactor
async def report(news: list[ChildDone[TillCounted] | ChildFailed[ShopClosed]]) -> NightReported:
    counted = [each.end for each in news if isinstance(each, ChildDone)]
    missing = [each.start.number for each in news if isinstance(each, ChildFailed)]
    return NightReported(counted=len(counted), cents=sum(each.cents for each in counted), missing=missing)
