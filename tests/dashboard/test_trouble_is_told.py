"""What follows the log in a server may fail in any way: the server says that it is not ready, and why, and tries again."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.dashboard.desks import Applied, Office, client_of
from tests.dashboard.desks import a_desk as a_choreography

from farandole.dashboard import Settings, create_app, serving
from farandole.dashboard.errors import DashboardError
from farandole.dashboard.lagging import trouble_of
from farandole.eventstore import StoreUnavailable
from farandole.projections.runs import Projector
from farandole.projections.runs.tablespace import RunTables
from farandole.projections.sql import DatabaseMisconfigured, DatabaseUnavailable


@pytest.fixture
async def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Office]:
    """As `farandole serve` has it, and a worker."""
    monkeypatch.setattr(serving, "_AGAIN", 0.05)
    async with an_office_that_serves(tmp_path) as office:
        yield office


@asynccontextmanager
async def an_office_that_serves(tmp_path: Path) -> AsyncIterator[Office]:
    choreography = a_choreography()
    url, db = f"memory://{choreography.name}", f"sqlite:///{tmp_path / choreography.name}.db"
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(choreography.work(url, partitions=2))
        desk = await stack.enter_async_context(serving.a_desk(choreography, url, db))
        app = create_app(desk, Settings())
        await stack.enter_async_context(app.router.lifespan_context(app))
        office = Office(app, desk, client, await stack.enter_async_context(client_of(app)))
        await ready(office)
        yield office


async def ready(office: Office) -> None:
    await told(office, lambda status, why: status == 200)


async def told(office: Office, seen: Callable[[int, str], bool]) -> None:
    """Ask whether it is ready until it says so."""
    async with asyncio.timeout(30):
        while True:
            answer = await office.http.get("/readyz")
            if seen(answer.status_code, answer.json().get("why") or ""):
                return
            await asyncio.sleep(0.02)


class Cancelled(asyncio.CancelledError):
    """As a library lets one out that cancels its own tasks."""


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (DatabaseMisconfigured("the tables are others"), "the projector has stopped: the tables are others"),
        (RuntimeError("a defect"), "the projector has broken down (RuntimeError)"),
        (Cancelled(), "the projector was cancelled from within"),
        (None, "the projector has ended"),
    ],
    ids=["misconfigured", "defect", "cancelled", "ended"],
)
async def test_a_projector_that_ends_makes_the_server_not_ready_until_one_is_at_work_again(
    office: Office, monkeypatch: pytest.MonkeyPatch, error: BaseException | None, said: str
) -> None:
    async def fails(_: Projector, to: Any) -> None:
        await asyncio.sleep(0)
        if error is not None:
            raise error

    async def ends(_: Projector) -> None:
        await asyncio.sleep(0)

    with monkeypatch.context() as broken:
        broken.setattr(Projector, "_follow", fails)
        if error is None:
            broken.setattr(Projector, "run", ends)
        # What is at work goes on as it was until it meets something.
        broken.setattr(RunTables, "write", refuse(RuntimeError("a defect") if error is None else error))
        await office.client.start(Applied(customer="ann"), run_id="r")
        await told(office, lambda status, why: (status, why) == (503, said))
        # Neither does it say that it is ready each time that it tries.
        for _ in range(20):
            assert (await office.http.get("/readyz")).status_code == 503
            await asyncio.sleep(0.01)
    await ready(office)
    await office.until("/runs/r", lambda run: run["closed"])


def refuse(error: BaseException) -> Callable[..., None]:
    def refused(*_: object) -> None:
        # A thread cannot hand over what cancels tasks.
        raise RuntimeError("gone") if isinstance(error, asyncio.CancelledError) else error

    return refused


async def test_a_database_that_takes_nothing_makes_the_server_not_ready_though_it_can_be_read(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(RunTables, "write", refuse(DatabaseUnavailable("the disk is full")))
        await office.client.start(Applied(customer="ann"), run_id="r")
        await told(office, lambda status, why: status == 503 and "the disk is full" in why)
        assert (await office.http.get("/api/v1/runs")).status_code == 200
    await office.until("/runs/r", lambda run: run["closed"])
    await ready(office)


async def test_a_log_that_cannot_be_read_makes_the_server_not_ready(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = type(office.desk.projector._store.reader()) if office.desk.projector else None
    assert reader is not None

    async def away(*_: object, **__: object) -> Any:
        raise StoreUnavailable("the broker is on strike")

    with monkeypatch.context() as broken:
        broken.setattr(reader, "read", away)
        await told(office, lambda status, why: status == 503 and "the broker is on strike" in why)
    await ready(office)


async def test_a_server_that_ends_by_itself_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def ends(_: object) -> None: ...

    monkeypatch.setattr(serving._Server, "main_loop", ends)
    choreography = a_choreography()
    url = f"memory://{choreography.name}"
    async with choreography.work(url, partitions=1), asyncio.timeout(30):
        with pytest.raises(DashboardError, match="ended by itself"):
            await serving.serve(choreography, url, f"sqlite:///{tmp_path}/x.db", Settings(port=0))


async def test_a_projection_beside_that_goes_no_further_makes_it_not_ready_and_is_no_trouble_of_its_pages(
    tmp_path: Path,
) -> None:
    choreography = a_choreography()
    url, db = f"memory://{choreography.name}", f"sqlite:///{tmp_path / choreography.name}.db"
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(choreography.work(url, partitions=2))
        desk = await stack.enter_async_context(
            serving.a_desk(choreography, url, db, trouble=lambda: "projection Fussy goes no further")
        )
        app = create_app(desk, Settings())
        await stack.enter_async_context(app.router.lifespan_context(app))
        http = await stack.enter_async_context(client_of(app))
        answer = await http.get("/readyz")
        assert (answer.status_code, answer.json()["why"]) == (503, "projection Fussy goes no further")
        assert "Fussy" in (await http.get("/projections")).text
        assert trouble_of(desk) is None
