"""Questions about runs, and marks of fields, as both type checkers see them. Never run."""

from collections.abc import Mapping
from typing import Annotated, assert_type

from farandole.eventstore import EventStore
from farandole.projections import Runs
from farandole.projections.runs import Database, Pace, Projector, Verified, rebuild, verify
from farandole.projections.runs.query import Answer, RecordRow, RunRow, RunThen, Where
from farandole.schemas import Personal, Search, Secret, Start


class AccountOpened(Start):
    customer: Annotated[str, Search, Personal]
    token: Annotated[str, Secret] = ""


assert_type(AccountOpened(customer="ann").customer, str)


async def ask(url: str) -> None:
    async with await Runs.open(url, "orders") as runs:
        page = await runs.list(Where(status=["failed"], attributes={"customer": "ann"}), min_position={0: 12})
        assert_type(page, Answer[tuple[RunRow, ...]])
        assert_type(page.next, str | None)
        assert_type((await runs.get("r")).found, RunRow | None)
        assert_type((await runs.counts()).found, Mapping[str, int])
        assert_type((await runs.history("r", personal=True)).found, tuple[RecordRow, ...])
        assert_type((await runs.state_at("r", offset=3)).found, RunThen | None)


async def keep(store: EventStore, url: str) -> None:
    database = Database(url, "farandole_orders")
    await rebuild(store, database, "orders")
    assert_type(await verify(store, database, "orders"), Verified)
    await Projector(store, database, "orders", pace=Pace(most=100), keep=86_400_000).run()
