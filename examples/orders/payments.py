"""The service that takes payments: farandole work orders.payments:orders"""

import asyncio
import random
from collections.abc import AsyncIterator
from decimal import Decimal

from farandole.reactors import Choreography, Failed, GiveUp, Retry, Step

from .events import OrderPlaced, OrderRefused, PaymentTaken

orders = Choreography("orders", service="payments")


class Bank:
    """A bank that is slow, away now and then, and charges each idempotency key once."""

    async def charge(self, card: str, amount: Decimal, idempotency_key: str) -> str:
        await asyncio.sleep(random.uniform(0.001, 0.005))
        if random.random() < 0.02:
            raise ConnectionError("the bank does not answer")
        if card == "0000":
            raise GiveUp("the card was declined")
        return f"receipt-{idempotency_key[:8]}"


@orders.provide
async def bank() -> AsyncIterator[Bank]:
    yield Bank()


@orders.reactor(retry=Retry(attempts=8, first="100ms", most="2s"), timeout="10s")
async def take_payment(order: OrderPlaced, step: Step, bank: Bank) -> PaymentTaken:
    receipt = await bank.charge(order.card, order.amount, idempotency_key=step.key)
    return PaymentTaken(receipt=receipt, amount=order.amount)


@orders.reactor(of=take_payment)
async def refuse(failed: Failed[OrderPlaced]) -> OrderRefused:
    return OrderRefused(why=failed.error)
