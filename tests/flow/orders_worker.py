"""A worker of one of the order example's services, as a process of its own.

    python -m flow.orders_worker payments URL PARTITIONS MEMBER [LEDGER]

A member whose name ends with "rival" takes all partitions whatever others own. The bank writes each idempotency key that it charged to the ledger, so that a test can tell attempts from effects.
"""

import asyncio
import importlib
import logging
import sys
from decimal import Decimal
from pathlib import Path

from farandole.eventstore import Ownership
from farandole.eventstore.kafka import KafkaStore
from farandole.reactors import Choreography


def keep_ledger(path: Path) -> None:
    """Let the bank note what it charges."""
    from orders.payments import Bank

    charge = Bank.charge

    async def noted(self: Bank, card: str, amount: Decimal, idempotency_key: str) -> str:
        receipt = await charge(self, card, amount, idempotency_key)
        with path.open("a") as ledger:
            ledger.write(f"{idempotency_key}\n")
        return receipt

    Bank.charge = noted  # type: ignore[method-assign]


def be_a_rival() -> None:
    """Join a consumer group of one's own, so that other workers of the service know nothing of this one."""
    own = KafkaStore.own

    def apart(self: KafkaStore, service: str, member: str | None = None) -> Ownership:
        return own(self, f"{service}.rival", member)

    KafkaStore.own = apart  # type: ignore[method-assign]


def main() -> None:
    service, url, partitions, member, *ledger = sys.argv[1:]
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    if ledger and service == "payments":
        keep_ledger(Path(ledger[0]))
    if member.endswith("rival"):
        be_a_rival()
    orders = importlib.import_module(f"orders.{service}").orders
    asyncio.run(_work(orders, url, int(partitions), member))


async def _work(orders: Choreography, url: str, partitions: int, member: str) -> None:
    await orders.work(url, partitions=partitions, member=member)


if __name__ == "__main__":
    main()
