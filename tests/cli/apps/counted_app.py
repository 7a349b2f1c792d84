"""The shop with a projection of its own, in which the till of somebody breaks."""

import os

from shop_app import Ordered, Sent, shop
from sqlalchemy import Connection

from farandole.projections import Projection, on, table, upsert
from farandole.reactors import Recorded


@shop.project
class Items(Projection):
    version = int(os.environ.get("ITEMS_VERSION", "1"))
    items = table("items", {"item": str}, ordered=int)

    @on
    def ordered(self, order: Recorded[Ordered], db: Connection) -> None:
        upsert(db, self.items, {"item": order.event.item}, add={"ordered": order.event.count * self.version})


@shop.project
class Fussy(Projection):
    fussy = table("fussy", {"run": str})

    @on
    def sent(self, sent: Recorded[Sent], db: Connection) -> None:
        if sent.event.item == "cursed":
            raise RuntimeError("it is cursed")
        db.execute(self.fussy.insert(), {"run": sent.run_id})
