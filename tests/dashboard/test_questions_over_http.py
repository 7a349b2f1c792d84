"""Questions over HTTP: answers that say how fresh they are, in pages, without what the caller may not see."""

import json
from collections.abc import AsyncIterator

import pytest
from tests.dashboard.desks import Office, an_office

from farandole.dashboard import Role, Settings, Tokens
from farandole.dashboard.auth.tokens import make
from farandole.projections.runs.query.governing import DAY
from farandole.projections.sql import DatabaseUnavailable


@pytest.fixture
async def office(database_url: str) -> AsyncIterator[Office]:
    async with an_office(database_url) as office:
        for wish in ("", "ask", "break", "later", "check"):
            await office.start(f"r-{wish}", wish)
        await office.client.run("r-check").result()
        await office.until("/counts", lambda c: c == {"completed": 5, "failed": 1, "waiting": 2})
        yield office


async def test_runs_are_found_counted_and_come_in_pages(office: Office) -> None:
    everything = await office.get("/runs")
    assert len(everything["items"]) == 8
    found: list[object] = []
    page = await office.get("/runs?limit=3")
    while True:
        found += page["items"]
        if page["next"] is None:
            break
        page = await office.get("/runs", params={"limit": 3, "cursor": page["next"]})
    assert found == everything["items"]
    assert [r["run_id"] for r in (await office.get("/runs?status=failed"))["items"]] == ["r-break"]
    assert {r["run_id"] for r in (await office.get("/runs?attribute=customer=ann&status=waiting"))["items"]} == {
        "r-ask",
        "r-later",
    }
    assert {r["run_id"] for r in (await office.get("/waiting"))["items"]} == {"r-ask", "r-break", "r-later"}


async def test_one_run_is_told_from_all_sides(office: Office) -> None:
    history = await office.get("/runs/r-ask/history")
    assert history["items"][0]["payload"]["customer"] == "ann"
    state = await office.get(f"/runs/r-ask/state?offset={history['items'][0]['log_offset']}")
    assert (len(state["events"]), len(state["steps"]), len(state["decisions"])) == (1, 1, 0)
    assert (await office.get("/runs/r-later/timers"))["items"][0]["state"] == "open"
    assert len((await office.get("/runs/r-check/children"))["items"]) == 3
    assert (await office.get("/runs/r-break/failures"))["items"][0]["message"] == "the drawer is stuck"
    assert (await office.get("/runs/r-break/steps"))["items"][0]["state"] == "parked"
    assert len((await office.get("/runs/r-ask/graph"))["nodes"]) >= 1
    assert len((await office.get("/runs/r-check/family"))["members"]) == 4
    diff = await office.get("/diff?a=r-ask&b=r-later")
    assert diff["events"][0]["fields"] == [["wish", "ask", "later"]]
    lines = (await office.http.get("/api/v1/runs/r-/export")).text.splitlines()
    assert [json.loads(line)["type"].rpartition(".")[2] for line in lines] == ["Applied", "Closed"]


async def test_the_whole_is_told(office: Office) -> None:
    reactors = {row["reactor"]: row for row in (await office.get("/reactors"))["items"]}
    assert (reactors["handle"]["parked"], reactors["handle"]["done"]) == (1, 4)
    (service,) = (await office.get("/services"))["items"]
    assert service["parked"] == 1
    (due,) = (await office.get("/timers"))["items"]
    assert due["run_id"] == "r-later"
    drawn = await office.get("/map")
    names = {node["id"]: node for node in drawn["nodes"]}
    name = office.desk.choreography
    assert names[f"event:{name}.Applied"]["kind"] == "start"
    assert names["reactor:handle"]["row"]["parked"] == 1
    edges = {(e["source"], e["target"], e["form"]) for e in drawn["edges"]}
    assert (f"event:{name}.Applied", "reactor:handle", "event") in edges
    assert ("reactor:handle", f"event:{name}.Granted", "ask") in edges
    assert (f"event:{name}.Clean", "reactor:gather", "child_done") in edges
    schemas = {row["name"]: row for row in (await office.get("/schemas"))["items"]}
    assert (schemas[f"{name}.Applied"]["kind"], schemas[f"{name}.Applied"]["version"]) == ("start", 1)
    (schedule,) = (await office.get("/schedules"))["items"]
    assert (schedule["name"], schedule["paused"], len(schedule["next"])) == ("leap", False, 5)
    newest = max((await office.get("/projections"))["log_times"].values())
    assert (await office.get(f"/minutes?since={newest - DAY}"))["items"]
    assert (await office.get(f"/minutes?since=0&upto={DAY}"))["items"] == []
    projection = await office.get("/projections")
    assert (len(projection["positions"]), projection["stopped"], projection["behind"]["why"]) == (3, {}, None)
    form = await office.get("/forms/Refused")
    assert list(form["properties"]) == ["reason"]


async def test_what_is_personal_is_shown_to_those_who_may_see_it_and_what_is_secret_to_nobody(
    database_url: str,
) -> None:
    shown, token = make("ann", Role.ADMINISTER)
    seeing, other = make("bob", Role.SEE, ["personal"])
    async with an_office(database_url, Settings(tokens=Tokens([token, other]))) as office:
        office.http.headers["Authorization"] = f"Bearer {shown}"
        await office.start("r", "")
        await office.client.run("r").result()
        await office.until("/runs/r", lambda run: run["closed"])
        paths = [
            "/runs/r/history",
            "/runs/r/history?everything=true",
            "/runs/r/state",
            "/runs/r/export",
            "/diff?a=r&b=r",
        ]
        for path in paths:
            plain = (await office.http.get(f"/api/v1{path}")).text
            assert '"customer":"ann"' in plain.replace(": ", ":")
            assert "Elm Street" not in plain
            whole = (await office.http.get(f"/api/v1{path}", headers={"Authorization": f"Bearer {seeing}"})).text
            assert "Elm Street" in whole
            assert "hush-hush" not in plain + whole


async def test_answers_say_of_which_state_of_the_tables_they_are(office: Office) -> None:
    answer = await office.http.get("/api/v1/runs")
    position = dict(each.split("=") for each in answer.headers["farandole-position"].split(","))
    assert set(position) == {"0", "1", "2"}
    assert int(answer.headers["farandole-behind"]) >= 0
    assert float(answer.headers["farandole-behind-seconds"]) >= 0


async def test_what_is_wrong_with_a_question_is_told_with_the_cure(office: Office) -> None:
    for path, status, word in (
        ("/runs/nobody", 404, "min_position"),
        ("/runs/nobody/export", 404, "min_position"),
        ("/runs/nobody/graph", 404, ""),
        ("/runs/nobody/family", 404, ""),
        ("/decisions/nothing", 404, "GET /api/v1/decisions"),
        ("/nothing", 404, "/api/openapi.json"),
        ("/runs?cursor=x", 400, "first page"),
        ("/runs?limit=501", 422, "limit"),
        ("/runs?min_position=x", 400, "3=4712"),
        ("/forms/Nothing", 422, "Name one"),
        ("/minutes", 422, "since"),
        ("/minutes?since=0", 422, "since= and upto="),
        (f"/minutes?since=0&upto={2 * DAY}", 422, "since= and upto="),
    ):
        answer = await office.http.get(f"/api/v1{path}")
        problem = answer.json()
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), path
        assert problem["status"] == status
        assert word in f"{problem['detail']} {problem['cure']}", path
    assert (await office.http.delete("/api/v1/runs", headers={"Content-Type": "application/json"})).status_code == 405


async def test_who_asks_for_a_position_that_does_not_come_is_told_so(office: Office) -> None:
    office.desk.runs._patience = 0.05
    answer = await office.http.get("/api/v1/runs?min_position=0=999999")
    assert (answer.status_code, answer.json()["title"], answer.headers["retry-after"]) == (503, "Not there yet", "1")


async def test_an_error_of_the_server_is_told_to_the_operator_and_not_to_the_caller(
    office: Office, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: object, **__: object) -> object:
        raise RuntimeError("s3cret")

    monkeypatch.setattr(office.desk.runs, "get", broken)
    answer = await office.http.get("/api/v1/runs/r-")
    assert (answer.status_code, answer.json()["title"]) == (500, "Out of order")
    assert "s3cret" not in answer.text
    assert "default-src" in answer.headers["content-security-policy"]
    assert any(r.exc_info for r in caplog.records)

    async def away(*_: object, **__: object) -> object:
        raise DatabaseUnavailable("the database sleeps")

    monkeypatch.setattr(office.desk.runs, "get", away)
    assert (await office.http.get("/api/v1/runs/r-")).status_code == 503


async def test_health_says_whether_it_lives_and_readiness_what_is_wrong(office: Office) -> None:
    assert (await office.http.get("/healthz")).json() == {"status": "ok"}
    assert (await office.http.get("/readyz")).status_code == 200


async def test_trouble_with_the_projector_is_told_by_readiness(database_url: str) -> None:
    async with an_office(database_url) as office:
        office.desk.trouble = lambda: "partition 1 is projected no further: damaged"
        answer = await office.http.get("/readyz")
        assert (answer.status_code, answer.json()["why"]) == (503, "partition 1 is projected no further: damaged")


async def test_what_is_wrong_with_the_server_is_nobodys_business_who_is_not_known(database_url: str) -> None:
    async with an_office(database_url, Settings(tokens=Tokens([make("ann", Role.SEE)[1]]))) as office:
        office.desk.trouble = lambda: "s3cret"
        answer = await office.http.get("/readyz")
        assert (answer.status_code, answer.json()) == (503, {"status": "not ready"})


async def test_the_api_describes_itself(office: Office) -> None:
    said = (await office.http.get("/api/openapi.json")).json()
    assert said["openapi"].startswith("3.")
    assert {"/api/v1/runs", "/api/v1/stream", "/api/v1/decisions/{name}/answers"} <= set(said["paths"])
