"""The service that packs: farandole work orders.warehouse:orders"""

from farandole.reactors import Choreography, Run, Step

from .events import OrderPacked, OrderPlaced, OrderRefused

orders = Choreography("orders", service="warehouse")


@orders.reactor
def pack(order: OrderPlaced, step: Step) -> OrderPacked:  # a plain function: it runs in a thread
    return OrderPacked(box=f"box-{step.key[:8]}")


@orders.reactor
async def restock(refused: OrderRefused, run: Run[OrderPlaced], step: Step) -> None:
    step.log.info("back on the shelf: what %s ordered", run.start.customer)
