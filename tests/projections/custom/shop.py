"""Two choreographies that share a customer, projections of them, and logs of what happened there."""

import asyncio
import pickle
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select
from tests.projections.runs.logs import RecordedLog

from farandole.eventstore import EventStore, Stored
from farandole.projections import Projection, Recorded, on, table, upsert
from farandole.projections.custom import Log, types_of
from farandole.projections.custom.projector import Pace, ProjectionProjector
from farandole.projections.custom.space import database_of
from farandole.projections.sql import Database
from farandole.reactors import Choreography, Client
from farandole.schemas import End, Event, Start
from farandole.testing import Scenario

orders = Choreography("orders")
payments = Choreography("payments")


class OrderPlaced(Start):
    customer: str
    items: list[str]


class ItemPacked(Event):
    item: str


class OrderShipped(End):
    boxes: int


class PaymentAsked(Start):
    customer: str
    cents: int


class PaymentTaken(End):
    customer: str
    cents: int


@orders.reactor
def pack(order: OrderPlaced) -> list[ItemPacked]:
    return [ItemPacked(item=item) for item in order.items]


@orders.reactor
def ship(packed: list[ItemPacked]) -> OrderShipped:
    return OrderShipped(boxes=len(packed))


@payments.reactor
def take(asked: PaymentAsked) -> PaymentTaken:
    return PaymentTaken(customer=asked.customer, cents=asked.cents)


class Packing(Projection):
    """Rows that say in which order events came."""

    version = 1
    lines = table("lines", {"run": str, "number": int}, what=str)
    counts = table("counts", {"item": str}, packed=int)

    @on
    def placed(self, order: Recorded[OrderPlaced], db: Connection) -> None:
        self._line(order.run_id, f"placed {order.event.customer}", db)

    @on
    def packed(self, items: Iterable[Recorded[ItemPacked]], db: Connection) -> None:
        items = list(items)
        for each in items:
            self._line(each.run_id, f"packed {each.event.item}", db)
        for item, n in Counter(each.event.item for each in items).items():
            upsert(db, self.counts, {"item": item}, add={"packed": n})

    @on
    def shipped(self, order: Recorded[OrderShipped], db: Connection) -> None:
        self._line(order.run_id, f"shipped {order.event.boxes}", db)

    def _line(self, run: str, what: str, db: Connection) -> None:
        before = db.execute(select(self.lines.c.number).where(self.lines.c.run == run)).scalars().all()
        db.execute(self.lines.insert(), {"run": run, "number": len(before) + 1, "what": what})


class Customers(Projection):
    """Of two choreographies."""

    version = 1
    customers = table("customers", {"customer": str}, orders=int, cents=int)

    @on
    def placed(self, order: Recorded[OrderPlaced], db: Connection) -> None:
        upsert(db, self.customers, {"customer": order.event.customer}, add={"orders": 1, "cents": 0})

    @on
    def paid(self, paid: Recorded[PaymentTaken], db: Connection) -> None:
        upsert(db, self.customers, {"customer": paid.event.customer}, add={"orders": 0, "cents": paid.event.cents})


class Live(Projection):
    """In memory."""

    def __init__(self) -> None:
        self.packed: Counter[str] = Counter()
        self.open: set[str] = set()

    @on
    def moved(self, order: Recorded[OrderPlaced | OrderShipped]) -> None:
        if isinstance(order.event, OrderPlaced):
            self.open.add(order.run_id)
        else:
            self.open.remove(order.run_id)

    @on
    def items(self, items: Sequence[Recorded[ItemPacked]]) -> None:
        self.packed.update(each.event.item for each in items)


@cache
def recorded(runs: int = 6) -> Mapping[str, tuple[Sequence[Stored], Mapping[bytes, bytes]]]:
    """Records and catalogues of both logs, of two partitions, after so many orders; the same each time."""

    async def happened() -> dict[str, tuple[list[Stored], Mapping[bytes, bytes]]]:
        async with Scenario(orders, payments, workers=2) as s:
            for n in range(runs):
                customer = "ann" if n % 2 else "ben"
                order = OrderPlaced(customer=customer, items=["book", "pen", "cup"][: n % 4])
                await s.run(f"order-{n}").when(order)
                await s.run(f"payment-{n}", payments).when(PaymentAsked(customer=customer, cents=n))
            return {each.name: await s.use(_everything, each) for each in (orders, payments)}

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, happened()).result()


async def _everything(client: Client) -> tuple[list[Stored], Mapping[bytes, bytes]]:
    store, records = client.store, list[Stored]()
    ends = await store.ends(range(store.partitions))
    reader = store.reader()
    reader.follow(dict.fromkeys(ends, 0))
    while any(at < ends[p].next for p, at in reader.positions.items()):
        for batch in await reader.read():
            records += batch
    await reader.close()
    return records, dict(await store.catalogue.load())


def a_log(name: str = "orders", *, runs: int = 6, at_once: int = 50) -> RecordedLog:
    """A log as it is after so many orders."""
    records, catalogue = recorded(runs)[name]
    log = RecordedLog(records, partitions=2, at_once=at_once)
    log.catalogue.all |= catalogue
    return log


def keep(file: Path, runs: int) -> None:
    """Keep such a log in a file, for other processes."""
    file.write_bytes(pickle.dumps(recorded(runs)["orders"]))


def kept(file: Path) -> RecordedLog:
    records, catalogue = pickle.loads(file.read_bytes())
    log = RecordedLog(records, partitions=2, at_once=3)
    log.catalogue.all |= catalogue
    return log


def logs_of(
    projection: type[Projection], stores: Mapping[str, EventStore], of: Sequence[Choreography] = (orders,)
) -> list[Log]:
    return [Log(name, stores[name], types) for name, types in types_of(projection, of).items()]


QUICK = Pace(most=40, records=100, wait=0.02, patience=0.3)


def a_projector(
    projection: type[Projection], database: Database, store: EventStore, pace: Pace = QUICK, **more: Any
) -> ProjectionProjector:
    return ProjectionProjector(projection, logs_of(projection, {"orders": store}), database, pace=pace, **more)


async def projected(
    projection: type[Projection], database: Database, store: EventStore, pace: Pace = QUICK, **more: Any
) -> None:
    """Bring the tables up to the end of the log."""
    projector = a_projector(projection, database, store, pace, **more)
    try:
        await projector.catch_up()
    finally:
        await projector.close()


def rows(database: Database, query: str) -> list[tuple[Any, ...]]:
    place = database_of(database)
    try:
        with place.reading() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(query)]
    finally:
        if place is not database:
            place.close()


def packing(database: Database) -> list[Any]:
    """The rows of `Packing`."""
    return [sorted(rows(database, f"SELECT * FROM {name}")) for name in ("lines", "counts")]


def expected(runs: int = 6) -> list[Any]:
    """What those rows are after so many orders."""
    lines, counts = [], Counter[str]()
    for n in range(runs):
        items = ["book", "pen", "cup"][: n % 4]
        counts.update(items)
        said = [f"placed {'ann' if n % 2 else 'ben'}", *(f"packed {item}" for item in items), f"shipped {len(items)}"]
        lines += [(f"order-{n}", number, what) for number, what in enumerate(said, 1)]
    return [sorted(lines), sorted(counts.items())]
