"""The service that ships: farandole work orders.shipping:orders"""

from farandole.reactors import Choreography, Run, Step

from .events import AddressChanged, OrderPacked, OrderPlaced, OrderShipped, PaymentTaken

orders = Choreography("orders", service="shipping")
orders.know(AddressChanged)


@orders.reactor
async def ship(paid: PaymentTaken, packed: OrderPacked, run: Run[OrderPlaced], step: Step) -> OrderShipped:
    changes = await run.events(AddressChanged)
    address = changes[-1].address if changes else run.start.address
    return OrderShipped(tracking=f"{packed.box}-{step.key[:6]}", address=address)


@orders.reactor
async def thank(shipped: OrderShipped, step: Step) -> None:
    step.log.info("thank you; on its way to %s", shipped.address)
