"""What people do over HTTP is in the log, with who it was, and the tables know of it where the answer says."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.dashboard.desks import Office, an_office


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with an_office(tmp_path) as office:
        yield office


def at(position: dict[str, int]) -> str:
    return ",".join(f"{p}={n}" for p, n in position.items())


async def test_a_run_is_started_once_under_one_id_and_found_at_the_position_that_was_answered(office: Office) -> None:
    body = {"type": "Applied", "payload": {"customer": "ann", "wish": "later"}, "run_id": "a/b"}
    first = await office.post("/runs", **body)
    assert (first["run_id"], first["created"]) == ("a/b", True)
    found = await office.get("/runs/a%2Fb", params={"min_position": at(first["position"])})
    assert (found["run_id"], found["type"].rpartition(".")[2]) == ("a/b", "Applied")
    assert (await office.post("/runs", **body))["created"] is False
