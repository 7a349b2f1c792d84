"""What can be declared as a projection, and what is said of all else."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Column, Connection, Integer, MetaData, Table, create_engine, select
from tests.projections.custom.shop import OrderPlaced, OrderShipped, orders, payments

from farandole.projections import Projection, Recorded, follow, on, table, upsert
from farandole.projections.custom import events_of, tables_of, types_of, writes
from farandole.reactors import Choreography
from farandole.schemas import DeclarationError, Event


class Unheard(Event): ...


def test_handlers_take_one_or_many_of_one_type_or_several() -> None:
    class All(Projection):
        @on
        def one(self, order: Recorded[OrderPlaced]) -> None: ...
        @on
        def many(self, orders: Iterable[Recorded[OrderShipped | Unheard]], db: Connection) -> None: ...

    assert events_of(All) == (OrderPlaced, OrderShipped, Unheard)
    assert writes(All)


def test_a_subclass_inherits_handlers_and_tables_and_its_own_go_before() -> None:
    class Base(Projection):
        one = table("one", {"id": str})

        @on
        def placed(self, order: Recorded[OrderPlaced]) -> None: ...

    class More(Base):
        two = Table("two", MetaData(), Column("id", Integer, primary_key=True))

        @on
        def all(self, order: Recorded[OrderPlaced] | Recorded[OrderShipped]) -> None: ...

    assert list(tables_of(More)) == ["one", "two"]
    assert events_of(More) == (OrderPlaced, OrderShipped)


def test_handlers_that_cannot_be_are_refused_at_the_class() -> None:
    def declare(method: Any) -> None:
        type("Wrong", (Projection,), {"method": on(method)})

    async def waits(self: Any, order: Recorded[OrderPlaced]) -> None: ...
    def plain(self: Any, order: OrderPlaced) -> None: ...
    def some(self: Any, orders: Iterable[OrderPlaced]) -> None: ...
    def base(self: Any, event: Recorded[Event]) -> None: ...
    def settings(self: Any, order: Recorded[OrderPlaced], settings: int) -> None: ...
    def much(self: Any, order: Recorded[OrderPlaced], db: Connection, more: Connection) -> None: ...

    for method, said in (
        (waits, "is async"),
        (plain, r"write Recorded\[OrderPlaced\]"),
        (some, r"write Recorded\[OrderPlaced\]"),
        (base, "not an event of its own"),
        (settings, r"a sqlalchemy\.Connection"),
        (much, "nothing else"),
    ):
        with pytest.raises(DeclarationError, match=said):
            declare(method)


def test_two_handlers_of_one_event_and_none_at_all_are_refused() -> None:
    with pytest.raises(DeclarationError, match="'a' and 'b' both take OrderPlaced"):

        class Twice(Projection):
            @on
            def a(self, order: Recorded[OrderPlaced]) -> None: ...
            @on
            def b(self, orders: Sequence[Recorded[OrderPlaced]]) -> None: ...

    class Nothing(Projection): ...

    with pytest.raises(DeclarationError, match="takes no events"):
        orders.project(Nothing)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"version": 0}, "version is a number from 1 on"),
        ({"on_error": "ignore"}, "'stop' or 'skip'"),
        ({"tables": "orders"}, r"tables is a list, as \['orders'\]"),
        ({"table": "Orders Per Day"}, "cannot name a table"),
        ({"one": Table("one", MetaData(), schema="other")}, "names a schema"),
    ],
)
def test_other_things_that_cannot_be(more: dict[str, Any], said: str) -> None:
    with pytest.raises(DeclarationError, match=said):
        type("Wrong", (Projection,), more)


def test_tables_are_made_from_python_types() -> None:
    made = table("all", {"day": date}, n=int, at=datetime, id=UUID, note=str | None, more=dict[str, int], yes=bool)
    assert [column.name for column in made.primary_key.columns] == ["day"]
    assert [column.name for column in made.columns if column.nullable] == ["note"]
    with pytest.raises(DeclarationError, match="an int of cents"):
        table("money", {"id": str}, amount=Decimal)


def test_an_app_declares_its_projections_each_once() -> None:
    app, other = Choreography("app"), Choreography("other")

    @app.project
    class Placed(Projection):
        @on
        def placed(self, order: Recorded[OrderPlaced]) -> None: ...

    @app.project(also=[other])
    class Both(Placed):
        @on
        def unheard(self, event: Recorded[Unheard]) -> None: ...

    assert [(each.name, [of.name for of in each.of]) for each in app.projections] == [
        ("Placed", ["app"]),
        ("Both", ["app", "other"]),
    ]
    assert issubclass(Placed, Projection)
    with pytest.raises(DeclarationError, match=r"none of its choreographies knows it; say app\.know\(OrderPlaced\)"):
        app.projections[1].types()
    app.know(OrderPlaced)
    other.know(Unheard)
    assert {name: list(types) for name, types in app.projections[1].types().items()} == {
        "app": [OrderPlaced],
        "other": [Unheard],
    }
    with pytest.raises(DeclarationError, match="of one choreography twice"):
        app.project(also=[app])(Both)
    with pytest.raises(DeclarationError, match="two projections are named 'Placed'"):
        app.project(type("Placed", (Placed,), {"__module__": "elsewhere"}))
    with pytest.raises(DeclarationError, match="extends Projection"):
        app.project(int)  # type: ignore[type-var]


def test_of_one_choreography_all_events_are_its_own() -> None:
    class Some(Projection):
        @on
        def some(self, event: Recorded[Unheard]) -> None: ...

    assert list(types_of(Some, [payments])["payments"]) == [Unheard]


async def test_what_is_followed_goes_with_a_database_or_not() -> None:
    class Tables(Projection):
        one = table("one", {"id": str})

        @on
        def placed(self, order: Recorded[OrderPlaced], db: Connection) -> None: ...

    with pytest.raises(DeclarationError, match="of which choreography"):
        async with follow(Tables):
            pass
    with pytest.raises(DeclarationError, match="say db="):
        async with follow(Tables, orders, store="memory://nowhere-yet"):
            pass


def test_what_is_counted_in_a_column_that_was_left_out_counts_from_nothing() -> None:
    seen = table("seen", {"customer": str}, orders=int | None, place=str | None)
    with create_engine("sqlite://").begin() as db:
        seen.metadata.create_all(db)
        upsert(db, seen, {"customer": "ann"}, put={"place": "Rome"})
        for _ in range(2):
            upsert(db, seen, {"customer": "ann"}, add={"orders": 3})
        assert db.execute(select(seen)).all() == [("ann", 6, "Rome")]
