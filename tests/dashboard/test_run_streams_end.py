"""The stream of a run ends after a while, and when something that tells in it fails: nobody is left to wait in silence."""

import asyncio
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.dashboard.desks import an_office
from tests.dashboard.talking import SecretAsked, talking
from tests.dashboard.test_stream import events, served

from farandole.dashboard.api import stream
from farandole.dashboard.live import Talk, hub
from farandole.projections.sql import DatabaseUnavailable


async def whole(http: httpx2.AsyncClient, run_id: str, last: str = "") -> list[tuple[str, str, Any]]:
    """All that a stream tells up to its end."""
    async with (
        asyncio.timeout(60),
        http.stream("GET", f"/api/v1/runs/{run_id}/live", headers={"Last-Event-ID": last}) as answer,
    ):
        assert answer.status_code == 200
        return [each async for each in events(answer)]


def away(*_: object) -> None:
    raise DatabaseUnavailable("the database is out to lunch")


async def test_it_ends_after_a_while_with_the_place_to_come_back_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "LONGEST", 0.1)
    async with an_office(tmp_path) as office, served(office) as http:
        (*_, (name, last, _)) = await whole(http, "r")
        assert (name, last[-3:]) == ("", "~-1")


async def test_it_ends_when_what_was_missed_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with an_office(tmp_path) as office, served(office) as http:
        await office.start("r")
        await office.until("/runs/r", lambda run: run["closed"])
        monkeypatch.setattr(hub, "changes", away)
        await whole(http, "r", "0=0,1=0,2=0")


async def test_it_ends_when_what_is_said_cannot_be_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(*_: object) -> None:
        away()

    monkeypatch.setattr(Talk, "_learn", fails)
    go = asyncio.Event()
    desk, _ = talking("talkfails", go=go)
    async with an_office(tmp_path, of=desk) as office, served(office) as http:
        await office.client.start(SecretAsked(illness="gout"), run_id="s")
        await whole(http, "s")
        go.set()
