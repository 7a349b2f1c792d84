"""Order: payment and stock in parallel, joined; a client; a worker."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal

from pydantic_settings import BaseSettings, SettingsConfigDict

from farandole.reactors import Choreography, Failed, Retry, Run, Step
from farandole.schemas import End, Event, Signal, Start

orders = Choreography("orders")


class OrderPlaced(Start):
    order_id: str
    amount: Decimal
    address: str


class PaymentTaken(Event):
    receipt: str


class OrderPacked(Event):
    box: str


class AddressChanged(Signal):
    address: str


class OrderShipped(End):
    tracking: str


class OrderRefused(End):
    why: str


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="ORDERS_")
    bank_url: str = "https://bank.example"


class Bank:
    def __init__(self, url: str) -> None: ...
    async def charge(self, amount: Decimal, idempotency_key: str) -> str:
        return "r-1"

    async def close(self) -> None: ...


@orders.provide
def settings() -> Settings:
    return Settings()


@orders.provide
async def bank(settings: Settings) -> AsyncIterator[Bank]:
    b = Bank(settings.bank_url)
    yield b
    await b.close()


@orders.reactor(retry=Retry(attempts=5, first="1s", factor=2, most="1m"), timeout="30s")
async def take_payment(order: OrderPlaced, step: Step, bank: Bank) -> PaymentTaken:
    return PaymentTaken(receipt=await bank.charge(order.amount, idempotency_key=step.key))


@orders.reactor
def pack(order: OrderPlaced) -> OrderPacked:  # plain def: a thread
    return OrderPacked(box="b-7")


@orders.reactor
async def ship(paid: PaymentTaken, packed: OrderPacked, run: Run[OrderPlaced]) -> OrderShipped:
    changes = await run.events(AddressChanged)
    address = changes[-1].address if changes else run.start.address
    return OrderShipped(tracking=f"{packed.box}-{paid.receipt}-{address}")


@orders.reactor(of=take_payment)
async def refuse(failed: Failed[OrderPlaced]) -> OrderRefused:
    return OrderRefused(why=f"{failed.event.order_id}: {failed.error}")


@orders.reactor
async def thank(end: OrderShipped) -> None: ...


async def client() -> None:
    async with orders.connect("kafka://localhost:9092") as c:
        run = await c.start(OrderPlaced(order_id="17", amount=Decimal(5), address="x"), run_id="order-17")
        await run.send(AddressChanged(address="y"))
        match await run.result(OrderShipped, OrderRefused, timeout="30s"):
            case OrderShipped(tracking=t):
                print(t)
            case OrderRefused(why=w):
                print(w)
        async for r in run.events():
            print(r.at, r.name)


async def main() -> None:
    await orders.work("kafka://localhost:9092")  # until SIGTERM


if __name__ == "__main__":
    asyncio.run(main())
