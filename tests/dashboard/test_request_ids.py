"""What was asked is found again by one id: in the answer, in the audit, and in the server's log."""

import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.dashboard.desks import Office, an_office
from tests.dashboard.test_acting import at


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with an_office(tmp_path) as office:
        yield office


async def test_an_act_has_the_id_of_its_request_in_the_audit_and_in_the_log(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    await office.start("r", "later")
    answer = await office.http.post("/api/v1/runs/r/signals", json={"type": "Moved", "payload": {"street": "y"}}, headers={"X-Request-ID": "deploy-7"})  # fmt: skip
    assert answer.headers["x-request-id"] == "deploy-7"
    (act,) = (await office.get("/audit", params=at(answer.json()["position"])))["items"]
    assert act["request"] == "deploy-7"
    assert 'title="request deploy-7"' in (await office.http.get("/audit")).text
    (line,) = [r for r in caplog.records if r.name == "farandole.dashboard" and "send" in r.getMessage()]
    assert line.__dict__["request"] == "deploy-7"


@pytest.mark.parametrize("given", ["", "a" * 65, "two words", "x&by=boss"])
async def test_an_id_that_is_none_is_replaced(office: Office, given: str) -> None:
    ids = {
        (await office.http.get("/healthz", headers={"X-Request-ID": given})).headers["x-request-id"] for _ in range(2)
    }
    assert len(ids) == 2
    assert given not in ids


@pytest.mark.parametrize("path", ["/nothing", "/api/v1/nothing", "/runs/nobody"])
async def test_what_goes_wrong_has_an_id_too(office: Office, path: str) -> None:
    answer = await office.http.get(path, headers={"X-Request-ID": "r-1"})
    assert (answer.status_code, answer.headers["x-request-id"]) == (404, "r-1")
