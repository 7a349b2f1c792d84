"""Orders per day: a table that follows from the log. And what is on its way just now, in memory.

farandole project examples.orders_per_day:orders --store kafka://localhost:9092 --db sqlite:///orders.db
"""

from collections import Counter
from collections.abc import Iterable
from datetime import date

from examples.orders.events import OrderPlaced, OrderRefused, OrderShipped
from sqlalchemy import Connection

from farandole.projections import Projection, on, table, upsert
from farandole.reactors import Choreography, Recorded

orders = Choreography("orders", service="dashboard")


@orders.project
class OrdersPerDay(Projection):
    version = 1
    days = table("orders_per_day", {"day": date}, orders=int)

    @on
    def placed(self, rows: Iterable[Recorded[OrderPlaced]], db: Connection) -> None:
        for day, count in Counter(each.at.date() for each in rows).items():
            upsert(db, self.days, {"day": day}, add={"orders": count})


class OnTheirWay(Projection):
    """For a page that is live: ``async with follow(on_their_way, orders, store=…)``."""

    def __init__(self) -> None:
        self.customers: dict[str, str] = {}

    @on
    def placed(self, order: Recorded[OrderPlaced]) -> None:
        self.customers[order.run_id] = order.event.customer

    @on
    def over(self, order: Recorded[OrderShipped | OrderRefused]) -> None:
        self.customers.pop(order.run_id, None)
