"""A worker of one of the order example's services, or of the other programs here, as a process of its own:
python -m chaos.worker JOB

The job is JSON; see `crew.Job`. SIGUSR1 makes it say how many tasks and blocks of memory it has.
"""

import asyncio
import gc
import importlib
import json
import logging
import os
import signal
import sys
import time
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

from farandole.reactors import Choreography, leases
from farandole.reactors.leases import Leases
from farandole.reactors.values import Values
from flow.orders_worker import keep_ledger

from .failpoints import Failpoint, wrap
from .ledger import Ledger
from .upgrade import order_packed

MEMORY = 1 << 20
"""Bytes of records that a worker keeps at hand."""


def obey_cards(ledger: Ledger, folder: Path) -> None:
    """Let the bank take as long as the card says: ``slow:8`` waits, ``block:15`` keeps the event loop from running."""
    from orders.payments import Bank

    charge = Bank.charge

    async def obedient(self: Bank, card: str, amount: Decimal, idempotency_key: str) -> str:
        how, _, seconds = card.partition(":")
        if how == "slow":
            await asyncio.sleep(float(seconds))
        receipt = await charge(self, card, amount, idempotency_key)
        if how == "block" and _first(folder / f"blocked-{idempotency_key}"):
            # Once, whoever has the step: another worker that takes over is to be at work, and not blocked likewise.
            # At the very end: a handler that waits for anything more would be told meanwhile that its step is done.
            ledger.note("blocks", idempotency_key)
            time.sleep(float(seconds))
        return receipt

    Bank.charge = obedient  # type: ignore[method-assign]


def _first(marker: Path) -> bool:
    """Whether no process was here before."""
    try:
        marker.touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def tell_holders(ledger: Ledger) -> None:
    """Note what this process is called in its claims."""
    make = Leases.__init__

    def make_noted(self: Leases, *args: Any) -> None:
        make(self, *args)
        ledger.note("claims", self.holder.hex())

    Leases.__init__ = make_noted  # type: ignore[method-assign]


def shorten_claims(lease: int) -> None:
    """Let claims stand for so many milliseconds, and all that goes with them be shorter by as much."""
    for name in ("CLAIM_AFTER", "RENEW", "_LOOK", "MARGIN"):
        shorter = getattr(leases, name) * lease / leases.LEASE
        setattr(leases, name, int(shorter) if name == "MARGIN" else shorter)
    leases.LEASE = lease  # type: ignore[misc]


def main() -> None:
    job = json.loads(sys.argv[1])
    logging.basicConfig(
        level=os.environ.get("CHAOS_LEVEL", "WARNING"), format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    logging.captureWarnings(True)
    folder, service = Path(job["folder"]), job["service"]
    ledger = Ledger(folder / "executions", job["member"])
    tell_holders(ledger)
    if lease := int(os.environ.get("CHAOS_LEASE", "0")):
        shorten_claims(lease)
    wrap(ledger, Failpoint(ledger, job["point"], job["nth"]).reach)
    if service == "payments":
        obey_cards(ledger, folder)
        keep_ledger(folder / "ledger")
    if os.environ.get("CHAOS_UPGRADE"):
        importlib.import_module("orders.events").OrderPacked = order_packed(job["release"])  # type: ignore[attr-defined]
    program = importlib.import_module(f"chaos.{service}" if service in ("poison", "waits") else f"orders.{service}")
    (choreography,) = (each for each in vars(program).values() if isinstance(each, Choreography))
    choreography.version = job["release"]
    asyncio.run(_work(choreography, job))


async def _work(choreography: Choreography, job: dict[str, Any]) -> None:
    def say() -> None:
        # They are kept up to a budget, whatever becomes of their runs: how much of it is used says nothing of a leak.
        for values in [each for each in gc.get_objects() if isinstance(each, Values)]:
            values._kept.clear()
            values.bytes = 0
        gc.collect()
        tasks = Counter(task.get_coro().__qualname__ for task in asyncio.all_tasks())  # type: ignore[union-attr]
        path = Path(job["folder"], f"held-{job['member']}")
        path.with_suffix(".new").write_text(json.dumps({"tasks": tasks, "blocks": sys.getallocatedblocks()}))
        path.with_suffix(".new").rename(path)

    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, say)
    Path(job["folder"], f"hears-{os.getpid()}").touch()
    member = job["member"] if job["static"] else None
    await choreography.work(job["url"], partitions=job["partitions"], member=member, memory=MEMORY)


if __name__ == "__main__":
    main()
