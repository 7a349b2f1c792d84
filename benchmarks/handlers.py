"""Orders per day, from handlers that take one event at a time and from those that take all they can: the same rows, made anew.

python -m benchmarks.handlers --store sqlite --db postgres --events 100000
"""

import time
from collections import Counter
from collections.abc import Iterable
from datetime import date
from typing import Any

from sqlalchemy import Connection

from benchmarks.options import measured, parser
from benchmarks.rebuild import database
from benchmarks.show import say, tell
from benchmarks.written_log import append_to, prepare, runs_of
from farandole.eventstore import EventStore, connect
from farandole.projections import Projection, on, table, upsert
from farandole.projections.custom.logs import Log, types_of
from farandole.projections.custom.projector import ProjectionProjector
from farandole.projections.sql import Database
from farandole.reactors import Choreography, Recorded
from farandole.schemas import End, Start


class OrderPlaced(Start):
    customer: str


class OrderDone(End): ...


class OneByOne(Projection):
    version = 1
    days = table("orders_one_by_one", {"day": date}, orders=int)

    @on
    def placed(self, row: Recorded[OrderPlaced], db: Connection) -> None:
        upsert(db, self.days, {"day": row.at.date()}, add={"orders": 1})


class AtOnce(Projection):
    version = 1
    days = table("orders_at_once", {"day": date}, orders=int)

    @on
    def placed(self, rows: Iterable[Recorded[OrderPlaced]], db: Connection) -> None:
        for day, count in Counter(each.at.date() for each in rows).items():
            upsert(db, self.days, {"day": day}, add={"orders": count})


def orders(name: str) -> Choreography:
    made = Choreography(name)

    @made.reactor
    async def finish(order: OrderPlaced) -> OrderDone:
        return OrderDone()

    return made


async def seconds_of(projection: type[Projection], store: EventStore, made: Choreography, db: str) -> float:
    """How long the rows of one projection take."""
    logs = [Log(name, store, types) for name, types in types_of(projection, [made]).items()]
    projector = ProjectionProjector(projection, logs, Database(db, f"farandole_{made.name}"))
    try:
        await projector.catch_up()
        say(f"making the rows of {projection.__name__} anew")
        began = time.perf_counter()
        await projector.rebuild()
        return time.perf_counter() - began
    finally:
        await projector.close()


async def compared(url: str, db: str, events: int) -> dict[str, Any]:
    made = orders(f"handlers_{time.time_ns():x}")
    async with await connect(url, made.name, partitions=1) as store:
        scribe = await prepare(store, made)
        say(f"writing {events:,} orders")
        await append_to(store, 0, runs_of(scribe, OrderPlaced(customer="ann"), [], events))
        plain, batch = [await seconds_of(each, store, made, db) for each in (OneByOne, AtOnce)]
    return {
        "events": events,
        "store": url.partition(":")[0],
        "database": db.partition(":")[0],
        "one_by_one_s": plain,
        "at_once_s": batch,
        "ratio": plain / batch,
    }


def main() -> None:
    options = parser("benchmarks.handlers", __doc__)
    options.add_argument("--events", type=int, default=100_000, help="orders in the log (default 100,000)")
    options.add_argument("--db", default="postgres", help="postgres, sqlite, or a URL (default postgres)")

    async def measure(url: str, given: Any) -> dict[str, Any]:
        with database(given.db) as db:
            return await compared(url, db, given.events)

    given, result = measured(options, measure)
    tell(result, given.json, title=f"Orders per day of {result['events']:,} orders")


if __name__ == "__main__":
    main()
