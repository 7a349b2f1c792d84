"""The service that takes payments, from a bank that does not always answer."""

import asyncio
from collections import Counter

from farandole.reactors import Choreography, Failed, GiveUp, Retry, Step

from .events import CakeOrdered, OrderDeclined, PaymentTaken

bakery = Choreography("bakery", service="payments", owner="demo")

FLAKY_CARD = "5151"
STOLEN_CARD = "0000"


class Bank:
    """Charges each idempotency key once. It does not answer the first two times that some cards are charged."""

    def __init__(self) -> None:
        self._asked: Counter[str] = Counter()

    async def charge(self, card: str, idempotency_key: str) -> str:
        """Charge a card.

        Returns:
            The receipt.

        Raises:
            ConnectionError: the bank does not answer.
            GiveUp: the card is declined.
        """
        await asyncio.sleep(0.3)
        self._asked[idempotency_key] += 1
        if card == FLAKY_CARD and self._asked[idempotency_key] <= 2:
            raise ConnectionError("the bank does not answer")
        if card == STOLEN_CARD:
            raise GiveUp("the card was declined")
        return f"receipt-{idempotency_key[:6]}"


@bakery.provide
def bank() -> Bank:
    return Bank()


@bakery.reactor(retry=Retry(attempts=5, first="600ms"), timeout="10s")
async def take_payment(order: CakeOrdered, step: Step, bank: Bank) -> PaymentTaken:
    return PaymentTaken(receipt=await bank.charge(order.card, idempotency_key=step.key))


@bakery.reactor(of=take_payment)
async def decline(failed: Failed[CakeOrdered]) -> OrderDeclined:
    return OrderDeclined(why=failed.error)
