"""Whatever is done over HTTP is in the audit once it is answered: the API and the page tell the same, page by page."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from tests.dashboard.desks import Office, an_office
from tests.dashboard.test_acting import asked, at

from farandole.reactors.scheduling import fire

Done = Callable[[Office], Awaitable[tuple[Any, str, str]]]


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with an_office(tmp_path) as office:
        yield office


async def waits(office: Office) -> None:
    await office.start("r", "later")


async def has_failed(office: Office) -> None:
    await office.start("r", "break")
    await office.until("/runs/r", lambda run: run["status"] == "failed")


async def starts(office: Office) -> tuple[Any, str, str]:
    body = {"type": "Applied", "payload": {"customer": "x", "wish": "later"}, "run_id": "r", "reason": "why 1"}
    return await office.post("/runs", **body), "start", "why 1"


async def sends(office: Office) -> tuple[Any, str, str]:
    await waits(office)
    body = {"type": "Moved", "payload": {"street": "y"}, "reason": "why 2"}
    return await office.post("/runs/r/signals", **body), "signal", "why 2"


async def pauses(office: Office) -> tuple[Any, str, str]:
    await waits(office)
    return await office.post("/runs/r/pause", reason="why 3"), "pause", "why 3"


async def resumes(office: Office) -> tuple[Any, str, str]:
    await pauses(office)
    return await office.post("/runs/r/resume", reason="why 4"), "resume", "why 4"


async def cancels(office: Office) -> tuple[Any, str, str]:
    await waits(office)
    return await office.post("/runs/r/cancel", reason="why 5"), "cancel", "why 5"


async def retries(office: Office) -> tuple[Any, str, str]:
    await has_failed(office)
    return await office.post("/runs/r/retry", reason="why 6"), "retry", "why 6"


async def retries_the_cause(office: Office) -> tuple[Any, str, str]:
    await has_failed(office)
    (cause,) = (await office.get("/failures"))["items"]
    return await office.post(f"/failures/{cause['fingerprint']}/retry", reason="why 7"), "retry", "why 7"


async def answers(office: Office) -> tuple[Any, str, str]:
    question = await asked(office)
    body = {"run_id": "r", "type": "Granted", "payload": {}, "hash": question["hash"], "by": "ann", "comment": "why 8"}
    return await office.post(f"/decisions/{question['id']}/answers", **body), "answer", "why 8"


async def stops(office: Office) -> tuple[Any, str, str]:
    return await office.post("/reactors/handle/stop", reason="why 9"), "policy", "why 9"


async def lets_go_on(office: Office) -> tuple[Any, str, str]:
    await stops(office)
    return await office.post("/reactors/handle/go-on", reason="why 10"), "policy", "why 10"


async def pauses_the_schedule(office: Office) -> tuple[Any, str, str]:
    return await office.post("/schedules/leap/pause", reason="why 11"), "schedule", "why 11"


async def resumes_the_schedule(office: Office) -> tuple[Any, str, str]:
    await pauses_the_schedule(office)
    return await office.post("/schedules/leap/resume", reason="why 12"), "schedule", "why 12"


async def fires_the_schedule(office: Office) -> tuple[Any, str, str]:
    return await office.post("/schedules/leap/fire", reason="why 13"), "tick", "why 13"


DOES: dict[str, Done] = {
    "/runs": starts,
    "/runs/{}/signals": sends,
    "/runs/{}/pause": pauses,
    "/runs/{}/resume": resumes,
    "/runs/{}/cancel": cancels,
    "/runs/{}/retry": retries,
    "/failures/{}/retry": retries_the_cause,
    "/decisions/{}/answers": answers,
    "/reactors/{}/stop": stops,
    "/reactors/{}/go-on": lets_go_on,
    "/schedules/{}/pause": pauses_the_schedule,
    "/schedules/{}/resume": resumes_the_schedule,
    "/schedules/{}/fire": fires_the_schedule,
}


def rows(page: str) -> list[tuple[str, str]]:
    """Kind and place of each act on the page."""
    found = []
    for row in re.findall(r"<tr data-row>(.*?)</tr>", page, re.DOTALL):
        kind = re.search(r'class="pill plain [^"]*">([^<]+)<', row)
        place = re.search(r'class="sub mono"[^>]*>([^<]+)<', row)
        assert kind
        assert place
        found.append((kind[1], place[1]))
    return found


async def test_each_act_of_the_api_is_tried_here(office: Office) -> None:
    paths = (await office.http.get("/api/openapi.json")).json()["paths"]
    posts = {path.removeprefix("/api/v1") for path, methods in paths.items() if set(methods) - {"get"}}
    assert {re.sub(r"\{[^}]*\}", "{}", path) for path in posts} == set(DOES)


@pytest.mark.parametrize("act", DOES)
async def test_an_act_is_in_the_audit_of_the_api_and_of_the_page_with_who_and_why(office: Office, act: str) -> None:
    done, kind, why = await DOES[act](office)
    said = (await office.get("/audit", params=at(done["position"])))["items"]
    page = (await office.http.get("/audit", params=at(done["position"]))).text
    newest = [each for each in said if each["why"] == why]
    # A kill switch is turned in each partition.
    assert len(newest) == (3 if kind == "policy" else 1)
    assert {each["kind"] for each in newest} == {kind}
    assert all(each["by"] and each["verdict"] == "admitted" for each in newest)
    assert why in page
    assert rows(page) == [(each["kind"], f"{each['partition']}/{each['log_offset']}") for each in said]
    only = (await office.http.get("/audit", params={"kind": kind})).text
    assert rows(only) == [row for row in rows(page) if row[0] == kind]


async def test_of_acts_of_the_same_moment_none_is_lost_between_two_pages(office: Office) -> None:
    await waits(office)
    for _ in range(115):
        await office.post("/runs/r/pause")
        done = await office.post("/runs/r/resume")
    everything = await office.get("/audit", params={"limit": 500, **at(done["position"])})
    assert len(everything["items"]) == 230
    with office.desk.runs.database.writing() as connection:
        connection.exec_driver_sql("UPDATE records SET at = 1 WHERE by IS NOT NULL")
    found: list[tuple[str, str]] = []
    address = "/audit"
    while address:
        page = (await office.http.get(address)).text
        found += rows(page)
        earlier = re.search(r'href="(/audit\?cursor=[^"]+)"', page)
        address = unescape(earlier[1]) if earlier else ""
    assert len(found) == len(set(found)) == 230


async def test_acts_of_programs_are_told_to_who_asks_for_them_and_children_are_none(office: Office) -> None:
    await office.start("r", "check")
    await office.until("/runs/r", lambda run: run["status"] == "completed")
    assert (await office.get("/audit"))["items"] == []
    (act,) = (await office.get("/audit", params={"programs": "true"}))["items"]
    assert (act["kind"], act["run_id"], act["by"]) == ("start", "r", None)
    page = (await office.http.get("/audit?programs=1")).text
    assert rows(page) == [("start", f"{act['partition']}/{act['log_offset']}")]
    assert "a program" in page
    assert 'data-export="/api/v1/audit?programs=true"' in page


async def test_a_schedule_that_a_program_fires_is_told_with_where_that_came_from(office: Office) -> None:
    await fire(office.client, "leap", "why 14")
    ticks = {"programs": "true", "kind": "tick"}
    acts = await office.until("/audit?programs=true&kind=tick", lambda found: found["items"])
    ((act,), source) = (acts["items"], f"/{office.desk.choreography}/client?fired=1&why=why%2014")
    assert (act["run_id"], act["by"], act["why"], act["source"]) == ("leap", None, "why 14", source)
    page = (await office.http.get("/audit", params={**ticks, "programs": "1"})).text
    assert rows(page) == [("tick", f"{act['partition']}/{act['log_offset']}")]
    assert unescape(page).count(source) == 1
    assert (await office.get("/audit"))["items"] == []


async def test_a_cursor_or_a_kind_that_is_none_shows_the_newest(office: Office) -> None:
    done, *_ = await pauses(office)
    for query in ("cursor=nonsense", "kind=nonsense"):
        page = (await office.http.get(f"/audit?{query}&min_position={at(done['position'])['min_position']}")).text
        assert [kind for kind, _ in rows(page)] == ["pause"]
