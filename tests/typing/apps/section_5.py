"""The examples of the design's section on what users write."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal

from pydantic_settings import BaseSettings

from farandole.reactors import Choreography, Failed, Retry, Run, Step
from farandole.schemas import End, Event, Signal, Start

orders = Choreography("orders")


class OrderPlaced(Start):
    amount: Decimal
    address: str


class AddressChanged(Signal): ...


class PaymentTaken(Event):
    receipt: str


class OrderPacked(Event): ...


class OrderShipped(End): ...


class OrderRefused(End): ...


class NightStarted(Start): ...


class Settings(BaseSettings):
    bank_url: str = ""


class Bank:
    def __init__(self, url: str) -> None: ...
    async def __aenter__(self) -> "Bank":
        return self

    async def __aexit__(self, *error: object) -> None: ...
    async def charge(self, amount: Decimal, idempotency_key: str) -> str:
        return idempotency_key


@orders.provide
def settings() -> Settings:
    return Settings()


@orders.provide
async def bank(settings: Settings) -> AsyncIterator[Bank]:
    async with Bank(settings.bank_url) as b:
        yield b


@orders.reactor(retry=Retry(attempts=5, first="1s", factor=2, most="1m"), timeout="30s")
async def take_payment(order: OrderPlaced, step: Step, bank: Bank) -> PaymentTaken:
    return PaymentTaken(receipt=await bank.charge(order.amount, idempotency_key=step.key))


@orders.reactor
async def ship(paid: PaymentTaken, packed: OrderPacked, run: Run[OrderPlaced]) -> OrderShipped:
    return OrderShipped()


@orders.reactor(of=take_payment)
async def refuse(failed: Failed[OrderPlaced]) -> OrderRefused:
    return OrderRefused()


def schedules() -> None:
    orders.schedule(NightStarted(), name="night", cron="0 2 * * *", tz="Europe/Paris", overlap="skip")


async def client() -> OrderShipped | OrderRefused:
    async with orders.connect("kafka://localhost:9092") as client:
        run = await client.start(OrderPlaced(amount=Decimal(1), address=""), run_id="order-17")
        end = await run.result(OrderShipped, OrderRefused, timeout="30s")
        await run.send(AddressChanged())
        await run.pause()
        await run.resume()
        await run.retry()
        await run.cancel("why")
        async for recorded in run.events():
            print(recorded.event, recorded.name, recorded.at, recorded.reactor, recorded.offset)
        return end


async def worker() -> None:
    await orders.work("kafka://localhost:9092")


async def embedded() -> None:
    async with orders.work("memory://") as client:
        client.run("order-17")


if __name__ == "__main__":
    asyncio.run(worker())
