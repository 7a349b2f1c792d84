"""The shop: orders come in, customers send their messages, and somebody has the van mended."""

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any, Final

from farandole.cli.words import CLOSED
from farandole.eventstore import Stored
from farandole.projections.fold import Applied, Verdict
from farandole.reactors import Choreography
from farandole.reactors.client import Client
from farandole.reactors.errors import CommandRefused
from farandole.reactors.follower import Follower
from farandole.reactors.overview import Overview, RunSummary
from farandole.schemas.envelope import Kind

from . import delivery, kitchen, payments
from . import office as office_
from .customers import CUSTOMERS, Customer, arrivals
from .events import CakeOrdered, MessageChosen

CHOREOGRAPHY: Final = "bakery"
PARTITIONS: Final = 4
_STAGGER: Final = 0.3

Heard = Callable[[Stored, Applied], None]


class Shop:
    """The three services at work, the customers, and what is seen of the runs.

    Args:
        client: of the log that the services share.
        mend_after: seconds after which a failed delivery is retried.
    """

    def __init__(self, client: Client, *, mend_after: float) -> None:
        self._client = client
        self._mend_after = mend_after
        self._mending: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.overview = Overview(closed=200)
        self.stories: dict[str, str] = {}
        """What is special about the run of each id."""
        self.failures: Counter[str] = Counter()
        """Failed attempts of each run."""
        self.follower = Follower(client.store)
        self.listeners: list[Heard] = []
        self.follower.listener = self._note

    @property
    def client(self) -> Client:
        """A client of the log."""
        return self._client

    def runs(self) -> list[RunSummary]:
        """The runs of this demonstration, the latest first."""
        partitions = range(self._client.store.partitions)
        found = self.overview.runs({p: self.follower.fold(p) for p in partitions})
        return sorted((r for r in found if r.id in self.stories), key=lambda r: r.started, reverse=True)

    def now(self) -> int:
        """The log's time, in milliseconds since 1970 UTC."""
        return int(time.time() * 1000)

    async def open(self) -> None:
        """Begin to follow the log."""
        await self.follower.up_to_date(range(self._client.store.partitions))

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.follower.close()

    async def serve_six(self) -> None:
        """Take six orders, and wait until each is done with."""
        for customer in CUSTOMERS:
            await self.order(customer)
            await asyncio.sleep(_STAGGER)
        while len(self.runs()) < len(CUSTOMERS) or any(run.status.status not in CLOSED for run in self.runs()):
            self._mend()
            self._check()
            await self.follower.progress()

    async def serve(self) -> None:
        """Take orders until cancelled; first what the office is asked for."""
        for name, request, story in office_.REQUESTS:
            run_id = f"{name}-{secrets.token_hex(2)}"
            self.stories[run_id] = story
            await self._client.start(request, run_id=run_id)
        for customer, pause in arrivals():
            await self.order(customer)
            until = asyncio.get_running_loop().time() + pause
            while asyncio.get_running_loop().time() < until:
                self._mend()
                self._check()
                await self.follower.progress()

    async def order(self, customer: Customer) -> None:
        """One customer's order, and the message some time later."""
        run_id = f"{customer.order.customer.lower()}-{secrets.token_hex(2)}"
        self.stories[run_id] = customer.story
        run = await self._client.start(customer.order, run_id=run_id)

        async def message() -> None:
            await asyncio.sleep(customer.thinks)
            await run.send(MessageChosen(message=customer.message))

        self._do(message())

    def _mend(self) -> None:
        """Have failed deliveries retried, each some time after it failed."""
        for run in self.runs():
            if run.status.status == "failed" and run.id not in self._mending:
                self._mending.add(run.id)
                self._do(self._mended(run.id))

    async def _mended(self, run_id: str) -> None:
        await asyncio.sleep(self._mend_after)
        await self._client.run(run_id).retry("the van is mended", by="demo")

    def _do(self, what: Coroutine[Any, Any, None]) -> None:
        async def refused_or_not() -> None:
            # The order may be declined before the message comes, or somebody else may retry first.
            with suppress(CommandRefused):
                await what

        task = asyncio.create_task(refused_or_not())
        self._tasks.add(task)

    def _check(self) -> None:
        """Let go of what is done; what went wrong goes wrong here."""
        for task in [task for task in self._tasks if task.done()]:
            self._tasks.discard(task)
            task.result()

    def _note(self, record: Stored, out: Applied) -> None:
        self.overview.note(self.follower.fold(record.partition), record, out)
        e = out.envelope
        if e is not None and e.kind == Kind.FAILURE and out.verdict is Verdict.ADMITTED:
            self.failures[(record.key or b"").decode()] += 1
        for listener in self.listeners:
            listener(record, out)


@asynccontextmanager
async def open_shop(store: str, *, mend_after: float, office: bool) -> AsyncIterator[Shop]:
    """Start the services on a log, and close them when done.

    Args:
        office: the office works, too.
    """
    counter = Choreography(CHOREOGRAPHY, service="counter")
    counter.know(CakeOrdered, MessageChosen, *(type(request) for _, request, _ in office_.REQUESTS))
    services = [payments.bakery, kitchen.bakery, delivery.bakery, *([office_.bakery] if office else [])]
    async with AsyncExitStack() as stack:
        for service in services:
            await stack.enter_async_context(service.work(store, partitions=PARTITIONS, grace=1))
        client = await stack.enter_async_context(counter.connect(store, partitions=PARTITIONS))
        shop = Shop(client, mend_after=mend_after)
        try:
            await shop.open()
            yield shop
        finally:
            await shop.close()
