"""Projections of programs as they stand, on every kind of store and database: the example, and that of the order program."""

import importlib.util
import secrets
import sys
from decimal import Decimal
from typing import Any

import pytest
from tests.programs import program

from farandole.projections import follow
from farandole.projections.custom.space import database_of
from farandole.projections.sql import Database


def rows(database_url: str, of: str, query: str) -> list[tuple[Any, ...]]:
    place = database_of(Database(database_url, f"farandole_{of}"))
    try:
        with place.writing() as connection:
            if not query.startswith("SELECT"):
                if place.schema:
                    connection.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {place.schema}")
                connection.exec_driver_sql(query)
                return []
            return [(str(row[0]), *row[1:]) for row in connection.exec_driver_sql(query)]
    finally:
        place.close()


def example() -> Any:
    """The example, under a name of its own."""
    spec = importlib.util.find_spec("examples.orders_per_day")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


async def test_orders_per_day(url: str, database_url: str) -> None:
    p = example()
    name = p.orders.name = f"orders_{secrets.token_hex(4)}"
    on_their_way = p.OnTheirWay()
    async with p.orders.connect(url, partitions=2) as client:
        runs = [await client.start(p.OrderPlaced(customer="ann", amount=1, address="Paris")) for _ in range(3)]
        async with (
            follow(p.OrdersPerDay, p.orders, store=url, db=database_url) as days,
            follow(on_their_way, p.orders, store=url) as live,
        ):
            days_ = rows(database_url, name, "SELECT day, orders FROM orders_per_day ORDER BY day")
            assert sum(count for _, count in days_) == 3
            assert set(on_their_way.customers.values()) == {"ann"}
            assert {run.id for run in runs} == set(on_their_way.customers)
            await client.start(p.OrderPlaced(customer="ben", amount=1, address="Oslo"))
            await days.caught_up()
            await live.caught_up()
            assert sum(row[1] for row in rows(database_url, name, "SELECT day, orders FROM orders_per_day")) == 4
            assert sorted(on_their_way.customers.values()) == ["ann", "ann", "ann", "ben"]


async def test_the_order_program_with_a_table_that_it_makes_itself(
    url: str, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    p, _ = program("a01_order")
    monkeypatch.setitem(sys.modules, "tests.typing.apps.a01_order", p)
    q, orders = program("a12_test")
    rows(database_url, orders.name, "CREATE TABLE orders_per_day (day date PRIMARY KEY, count integer NOT NULL)")
    async with orders.work(url, partitions=2) as client:
        run = await client.start(p.OrderPlaced(order_id="17", amount=Decimal(5), address="x"))
        await client.start(p.OrderPlaced(order_id="18", amount=Decimal(5), address="y"))
        await run.result(p.OrderShipped, timeout="60s")
        async with follow(q.OrdersPerDay, orders, store=url, db=database_url):
            found = rows(database_url, orders.name, "SELECT day, count FROM orders_per_day")
    assert sum(count for _, count in found) == 2
