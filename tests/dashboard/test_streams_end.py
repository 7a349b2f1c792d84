"""A stream ends after a while and goes on exactly from there, is kept by nobody who reads nothing, and says what is wrong."""

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest
from sqlalchemy import select
from tests.dashboard.desks import Office, an_office
from tests.dashboard.test_stream import looking, position, served, until

from farandole.dashboard import Role, Settings, Tokens
from farandole.dashboard.api import stream
from farandole.dashboard.auth.tokens import make
from farandole.projections.runs import tables as t
from farandole.projections.sql import DatabaseUnavailable

RUNS = 30


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with an_office(tmp_path) as office:
        yield office


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streams that end soon."""
    monkeypatch.setattr(stream, "LONGEST", 0.1)


async def test_who_comes_back_each_time_that_a_stream_ends_is_told_everything_once(office: Office, short: None) -> None:
    async def happens() -> None:
        for n in range(RUNS):
            await office.start(f"r-{n}", "ask" if n % 2 else "")
            await office.client.run(f"r-{n}").status()

    async with served(office) as http, asyncio.timeout(60):
        first, last, ends, places = "", "", 0, list[tuple[int, int]]()
        doing = asyncio.create_task(happens())
        while not (doing.done() and ends and await _has_all(office, last)):
            async with looking(http, last) as seen:
                async for name, id_, data in seen:
                    places += [(data["partition"], data["offset"])] if name == "record" else []
                    last = id_ or last
                    first = first or last
            ends += 1
        await doing
        assert ends > 1
        assert len(places) == len(set(places))
        r, since = t.records.c, position(first)
        rows = (await office.desk.runs.ask(lambda c: c.execute(select(r.partition, r.log_offset)).all())).found
        assert set(places) == {(row[0], row[1]) for row in rows if row[1] >= since[row[0]]}


async def _has_all(office: Office, last: str) -> bool:
    return (
        bool(last)
        and position(last) == dict((await office.desk.runs.freshness()).positions)
        and len((await office.desk.runs.list(limit=RUNS)).found) == RUNS
    )


async def test_one_who_was_shown_nothing_of_all_that_happened_comes_back_from_behind_it(office: Office) -> None:
    hub = office.desk.hub
    assert hub is not None
    async with served(office) as http:
        async with looking(http, run="nobody") as seen:
            (_, first, _), *_ = [await anext(seen)]
            await office.start("r")
            async with asyncio.timeout(30):
                while sum(hub._positions.values()) <= sum(position(first).values()):
                    await asyncio.sleep(0.01)
            (looker,) = hub._lookers
            hub._let_go(looker)  # as when its time is over
            (*_, (name, last, _)) = [each async for each in seen]
        assert name == ""
        assert sum(position(last).values()) > sum(position(first).values())


async def test_one_whose_token_is_taken_out_looks_on_no_longer(tmp_path: Path, short: None) -> None:
    shown, token = make("ann", Role.SEE)
    tokens = Tokens([token, make("bob", Role.SEE)[1]])
    async with an_office(tmp_path, Settings(tokens=tokens)) as office, served(office) as http:
        http.headers["Authorization"] = f"Bearer {shown}"
        async with looking(http) as seen:
            await anext(seen)
            del tokens._tokens[token.hash]
            async with asyncio.timeout(30):
                assert [each async for each in seen]
        assert (await http.get("/api/v1/stream")).status_code == 401


async def test_one_who_reads_nothing_does_not_keep_a_stream(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "UNREAD", 0.2)
    hub = office.desk.hub
    assert hub is not None
    async with served(office) as http:
        at = urlsplit(str(http.base_url))
        with socket.socket() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(sock, (at.hostname, at.port))
            await loop.sock_sendall(sock, b"GET /api/v1/stream HTTP/1.1\r\nHost: 127.0.0.1:8600\r\n\r\n")
            async with asyncio.timeout(30):
                while not hub.lookers:
                    await asyncio.sleep(0.01)
                while hub.lookers:
                    for looker in hub._lookers:
                        looker.send(b":" + b"x" * 100_000 + b"\n\n")
                    await asyncio.sleep(0.01)


async def test_when_the_tables_cannot_be_read_streams_say_so_and_end_and_no_other_begins(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with served(office) as http:
        async with looking(http) as seen:
            await anext(seen)

            def away(*_: object) -> None:
                raise DatabaseUnavailable("the database is out to lunch")

            with monkeypatch.context() as broken:
                broken.setattr(office.desk.runs.database, "reading", away)
                async with asyncio.timeout(30):
                    *_, (name, _, data) = [each async for each in seen]
                assert (name, data) == ("trouble", {"why": "the database is out to lunch"})
                refused = await http.get("/api/v1/stream")
                assert (refused.status_code, refused.json()["detail"]) == (503, "the database is out to lunch")
        async with looking(http) as again:
            await anext(again)
            await office.start("r")
            await until(again, "run.changed", run_id="r", status="completed")


async def test_what_keeps_the_tables_from_going_on_is_told_to_those_who_look_on(office: Office) -> None:
    why: list[str] = []
    office.desk.trouble = lambda: why[0] if why else None
    async with served(office) as http, looking(http) as seen:
        await anext(seen)
        why.append("the projector has stopped")
        await until(seen, "trouble", why="the projector has stopped")
        async with looking(http) as later:
            assert [(await anext(later))[0] for _ in range(2)] == ["ready", "trouble"]
        why.clear()
        await until(seen, "trouble", why=None)


async def test_a_hub_that_is_cancelled_from_within_lets_all_go_and_begins_anew(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = office.desk.hub
    assert hub is not None
    async with served(office) as http:
        async with looking(http) as seen:
            await anext(seen)

            async def cancelled(*_: object) -> None:
                raise asyncio.CancelledError

            with monkeypatch.context() as broken:
                broken.setattr(hub, "_look", cancelled)
                async with asyncio.timeout(30):
                    assert [name async for name, *_ in seen][-1] == "trouble"
        await _told_of(office, http)


async def _told_of(office: Office, http: httpx2.AsyncClient) -> None:
    async with looking(http) as again:
        await anext(again)
        await office.start("r")
        await until(again, "run.changed", run_id="r", status="completed")
