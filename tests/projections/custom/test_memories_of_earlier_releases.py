"""Tables of memories are made by the framework: where a release makes them otherwise, nobody has to say so."""

from hashlib import blake2b

import pytest
from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite
from tests.projections.custom.shop import OrderPlaced, a_log, a_projector, projected, rows
from tests.projections.runs.projecting import until

from farandole.cli import declared as keeping
from farandole.projections import Fact, Memory, Projection, ProjectionOutdated, Recorded, on, table, upsert
from farandole.projections.custom.declared import forms_of, packed
from farandole.projections.sql import Database

FORMS = {1: {"sqlite": "6cbe9f1d", "postgresql": "cefb7ed9"}}
"""Of the tables that each form has. One that is not here needs a higher `Memory._form`, and a line of its own."""
FACTS = "SELECT about, text FROM memory_customers ORDER BY about, text"
TOLD = [("ann", "ordered 1"), ("ann", "ordered 1"), ("ann", "ordered 3"), ("ben", "ordered 0"), ("ben", "ordered 0")]


class Customers(Memory):
    @on
    def placed(self, order: Recorded[OrderPlaced]) -> Fact:
        return Fact(about=order.event.customer, text=f"ordered {len(order.event.items)}")


class Former(Projection, name="Customers"):
    """As a release had it that kept less."""

    kept = table("memory_customers", {"about": str, "fact": str}, text=str)
    forgotten = table("memory_customers_forgotten", {"about": str, "fact": str}, at=int)

    @on
    def placed(self, order: Recorded[OrderPlaced], db: Connection) -> None:
        upsert(db, self.kept, {"about": order.event.customer, "fact": order.id}, put={"text": "ordered"})


async def test_tables_of_an_earlier_form_are_made_anew_by_a_projector_at_work(database: Database) -> None:
    await projected(Former, database, a_log())
    assert rows(database, FACTS) == [("ann", "ordered")] * 3 + [("ben", "ordered")] * 3
    projector = a_projector(Customers, database, a_log())
    async with keeping.at_work([projector]) as trouble:
        await until(lambda: ("ann", "ordered 3") in rows(database, FACTS))
        assert trouble() is None
    await projector.close()
    assert set(rows(database, FACTS)) == {*TOLD, ("ben", "ordered 2")}
    assert rows(database, "SELECT at > 0 FROM memory_customers LIMIT 1") in ([(True,)], [(1,)])


async def test_a_process_of_an_earlier_release_writes_nothing_to_tables_of_a_later_form(database: Database) -> None:
    await projected(Customers, database, a_log())
    before = rows(database, "SELECT * FROM memory_customers ORDER BY fact")
    with pytest.raises(
        ProjectionOutdated, match=r"are of version 1 \(form 1\), and this process has version 1; run the newer"
    ):
        await projected(Former, database, a_log())
    assert rows(database, "SELECT * FROM memory_customers ORDER BY fact") == before


def test_another_form_has_another_number() -> None:
    for dialect in (sqlite.dialect(), postgresql.dialect()):
        found = blake2b(packed(forms_of(Customers, dialect)).encode(), digest_size=4).hexdigest()
        assert FORMS[Customers._form][dialect.name] == found, dialect.name
