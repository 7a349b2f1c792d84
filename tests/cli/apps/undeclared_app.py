"""An app that is declared wrongly."""

from farandole.reactors import Choreography

shop = Choreography("shop")


@shop.reactor
async def pay(order): ...  # type: ignore[no-untyped-def]
