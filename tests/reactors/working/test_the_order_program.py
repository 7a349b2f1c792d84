"""The order program of the design, as it stands, on every kind of store."""

import secrets
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.programs import program as load_program

from farandole.reactors.errors import RunCancelled

STORES = ["memory", "sqlite", pytest.param("kafka", marks=pytest.mark.kafka)]


@pytest.fixture(params=STORES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "memory":
        return f"memory://{secrets.token_hex(4)}"
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'orders.db'}"
    return f"kafka://{request.getfixturevalue('kafka')}"


@pytest.fixture
def program() -> Any:
    """The program, under a name of its own, so that no run of it meets the log of another."""
    return load_program("a01_order")[0]


async def test_it_runs(program: Any, url: str) -> None:
    p = program
    async with p.orders.work(url, partitions=2), p.orders.connect(url) as client:
        order = p.OrderPlaced(order_id="17", amount=Decimal(5), address="x")
        run = await client.start(order, run_id="order-17")
        assert await run.created
        shipped = await run.result(p.OrderShipped, p.OrderRefused, timeout="60s")
        assert shipped.tracking.startswith("b-7-r-1-")
        names = [r.name.rpartition(".")[2] async for r in run.events()]
        assert sorted(names) == ["OrderPacked", "OrderPlaced", "OrderShipped", "PaymentTaken"]


async def test_an_address_that_changed_before_the_goods_left_is_used(
    program: Any, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    p = program
    async with p.orders.connect(url, partitions=2) as client:
        run = await client.start(p.OrderPlaced(order_id="17", amount=Decimal(5), address="x"))
        await run.send(p.AddressChanged(address="y"))
        async with p.orders.work(url):
            assert await run.result(p.OrderShipped, timeout="60s") == p.OrderShipped(tracking="b-7-r-1-y")
        # Not live: the worker may have stopped before the customer was thanked, and then the run stays open.
        names = [r.name.rpartition(".")[2] async for r in run.events(live=False)]
        assert names[:2] == ["OrderPlaced", "AddressChanged"]


async def test_a_bank_that_declines_refuses_the_order(program: Any, url: str) -> None:
    from farandole.reactors import GiveUp

    p = program

    async def decline(self: object, amount: Decimal, idempotency_key: str) -> str:
        raise GiveUp("declined")

    p.Bank.charge = decline
    async with p.orders.work(url, partitions=2) as client:
        run = await client.start(p.OrderPlaced(order_id="17", amount=Decimal(5), address="x"))
        assert await run.result(p.OrderRefused, timeout="60s") == p.OrderRefused(why="17: declined")


async def test_a_worker_that_goes_is_followed_by_the_next(program: Any, url: str) -> None:
    p = program
    async with p.orders.connect(url, partitions=2) as client:
        runs = [
            await client.start(p.OrderPlaced(order_id=f"{n}", amount=Decimal(5), address="x"), run_id=f"order-{n}")
            for n in range(20)
        ]
        await runs[0].pause()
        for _ in range(2):
            async with p.orders.work(url, grace=0.05):
                pass
        async with p.orders.work(url):
            for run in runs[1:]:
                await run.result(p.OrderShipped, timeout="60s")
            await runs[0].cancel("enough")
            with pytest.raises(RunCancelled, match="enough"):
                await runs[0].result(timeout="60s")
        for run in runs[1:]:
            names = [r.name.rpartition(".")[2] async for r in run.events()]
            assert sorted(names) == ["OrderPacked", "OrderPlaced", "OrderShipped", "PaymentTaken"]
