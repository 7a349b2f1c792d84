"""The live stream: all that happens, each thing once, also to one who was cut off; and only what was asked for."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
import uvicorn
from tests.dashboard.desks import Office, an_office

from farandole.dashboard import Settings

Seen = tuple[str, str, Any]


@asynccontextmanager
async def served(office: Office) -> AsyncIterator[httpx2.AsyncClient]:
    """By real HTTP, for streams."""
    config = uvicorn.Config(office.app, port=0, log_config=None, lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server._serve())
    try:
        while not server.started:
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as http:
            yield http
    finally:
        assert office.desk.hub is not None
        office.desk.hub.end()
        server.should_exit = True
        await task


@asynccontextmanager
async def looking(http: httpx2.AsyncClient, last: str = "", **params: Any) -> AsyncIterator[AsyncIterator[Seen]]:
    """Events of a stream: name, id, data."""
    headers = {"Last-Event-ID": last} if last else {}
    async with http.stream("GET", "/api/v1/stream", params=params, headers=headers) as answer:
        assert answer.status_code == 200
        yield events(answer)


async def events(answer: httpx2.Response) -> AsyncIterator[Seen]:
    found: dict[str, str] = {}
    async for line in answer.aiter_lines():
        if not line and found:
            yield found.get("event", ""), found.get("id", ""), json.loads(found.get("data", "null"))
            found = {}
        elif line and not line.startswith(":"):
            name, _, value = line.partition(": ")
            found[name] = value


async def until(seen: AsyncIterator[Seen], name: str, **like: Any) -> list[Seen]:
    """What comes up to an event like this."""
    found = []
    async with asyncio.timeout(30):
        async for each in seen:
            found.append(each)
            if each[0] == name and like.items() <= each[2].items():
                return found
    raise AssertionError("the stream ended")


@pytest.fixture
async def office(database_url: str) -> AsyncIterator[Office]:
    async with an_office(database_url) as office:
        yield office


async def test_what_happens_is_told_with_how_the_run_then_stands(office: Office) -> None:
    async with served(office) as http, looking(http) as seen:
        assert (await anext(seen))[0] == "ready"
        await office.start("r", "ask")
        told = await until(seen, "run.changed", run_id="r", status="waiting")
        records = [data for name, _, data in told if name == "record" and data["run_id"] == "r"]
        assert [r["kind"] for r in records[:2]] == ["start", "outcome"]
        assert "payload" not in records[0]
        assert "Elm" not in str(told)


async def test_one_who_was_cut_off_anywhere_misses_nothing_and_sees_nothing_twice(office: Office) -> None:
    async with served(office) as http:
        async with looking(http) as seen:
            await anext(seen)
            for n in range(12):
                await office.start(f"r-{n}", "ask" if n % 2 else "")
            await office.client.run("r-0").result()
            whole = await until(seen, "run.changed", run_id="r-10", status="completed")
            while not all(
                any(d.get("run_id") == f"r-{n}" for _, _, d in whole if isinstance(d, dict)) for n in range(12)
            ):
                whole.append(await anext(seen))
        places = [(d["partition"], d["offset"]) for name, _, d in whole if name == "record"]
        assert len(places) == len(set(places))
        ids = [id_ for _, id_, _ in whole if id_]
        for cut in range(0, len(ids), 3):
            before = position(ids[cut])
            expected = [p for p in places if p[1] >= before.get(p[0], 0)]
            found: list[tuple[int, int]] = []
            async with looking(http, ids[cut]) as again, asyncio.timeout(30):
                while not set(expected) <= set(found):
                    name, _, data = await anext(again)
                    found += [(data["partition"], data["offset"])] if name == "record" else []
            assert len(found) == len(set(found))
            assert not set(found) & (set(places) - set(expected))


def position(text: str) -> dict[int, int]:
    return {int(p): int(n) for p, n in (each.split("=") for each in text.split(","))}


async def test_only_what_was_asked_for_is_told(office: Office) -> None:
    async with served(office) as http:
        async with looking(http, run="b") as seen:
            await anext(seen)
            await office.start("a")
            await office.start("b")
            told = await until(seen, "run.changed", run_id="b", status="completed")
            assert {data["run_id"] for _, _, data in told} == {"b"}
        async with looking(http, status="failed") as seen:
            await anext(seen)
            await office.start("c")
            await office.start("d", "break")
            told = await until(seen, "run.changed", run_id="d")
            assert {data["run_id"] for _, _, data in told} == {"d"}
        async with looking(http, type="Checked") as seen:
            await anext(seen)
            await office.start("e", "check")
            told = await until(seen, "run.changed", status="completed")
            assert all(data["run_id"] != "e" for _, _, data in told)


async def test_rates_of_reactors_are_told_to_those_who_want_all(office: Office) -> None:
    async with served(office) as http, looking(http) as seen:
        async with asyncio.timeout(30):
            async for name, _, data in seen:
                # The first of them may come before the tables know all that is served.
                if name == "reactor.rates" and {row["reactor"] for row in data} >= {"handle", "check"}:
                    return


async def test_only_so_many_look_on_and_those_who_go_make_room(database_url: str) -> None:
    async with an_office(database_url, Settings(streams=2)) as office, served(office) as http:
        assert office.desk.hub is not None
        async with looking(http) as one, looking(http) as two:
            await anext(one)
            await anext(two)
            full = await http.get("/api/v1/stream")
            assert (full.status_code, full.headers["retry-after"]) == (503, "10")
        async with asyncio.timeout(30):
            while office.desk.hub.lookers:
                await asyncio.sleep(0.01)
        async with looking(http) as three:
            await anext(three)


async def test_one_who_has_seen_what_is_not_there_is_told_to_begin_anew(office: Office) -> None:
    async with served(office) as http:
        for last in ("0=999999", "7=1"):
            async with looking(http, last) as seen:
                name, id_, _ = await anext(seen)
                assert (name, set(position(id_))) == ("reset", {0, 1, 2})
                await office.start(f"r-{last}")
                await until(seen, "run.changed", run_id=f"r-{last}", status="completed")


async def test_when_the_tables_are_set_back_all_are_told_to_begin_anew(office: Office) -> None:
    hub = office.desk.hub
    assert hub is not None
    async with served(office) as http, looking(http) as seen:
        await anext(seen)
        told = asyncio.create_task(until(seen, "reset"))
        while not told.done():  # a look that is under way would take it for what it knows
            hub._positions = dict.fromkeys(hub._positions, 1000000)
            await asyncio.sleep(0.01)
        await office.start("r")
        await until(seen, "run.changed", run_id="r", status="completed")


@pytest.mark.parametrize("last", ["x", "0", "0=x", "=", "0=1=2"])
async def test_a_position_that_is_none_is_refused(office: Office, last: str) -> None:
    answer = await office.http.get("/api/v1/stream", headers={"Last-Event-ID": last})
    assert answer.status_code == 400


async def test_where_the_projector_is_elsewhere_the_tables_are_looked_at(office: Office) -> None:
    assert office.desk.projector is not None
    office.desk.projector.written = lambda batch: None
    async with served(office) as http, looking(http) as seen:
        await anext(seen)
        await office.start("r")
        await until(seen, "run.changed", run_id="r", status="completed")
