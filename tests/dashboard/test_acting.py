"""What people do over HTTP is in the log, with who it was, and the tables know of it where the answer says."""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.dashboard.desks import Office, an_office, some_tokens

from farandole.dashboard import Role, Settings

HANDLES = ("handle", "check", "gather", "grant", "refuse", "remind", "move")


@pytest.fixture
async def office(database_url: str) -> AsyncIterator[Office]:
    async with an_office(database_url) as office:
        yield office


def at(position: dict[str, int]) -> dict[str, str]:
    return {"min_position": ",".join(f"{p}={n}" for p, n in position.items())}


async def asked(office: Office, run_id: str = "r") -> Any:
    """The question of a run."""
    await office.start(run_id, "ask")
    (found,) = (await office.until(f"/decisions?run_id={run_id}", lambda found: found["items"]))["items"]
    return found


async def test_a_run_is_started_once_under_one_id_and_found_at_the_position_that_was_answered(office: Office) -> None:
    body = {"type": "Applied", "payload": {"customer": "ann", "wish": "later"}, "run_id": "a/b"}
    first = await office.post("/runs", **body)
    assert (first["run_id"], first["created"]) == ("a/b", True)
    found = await office.get("/runs/a%2Fb", params=at(first["position"]))
    assert (found["run_id"], found["type"].rpartition(".")[2]) == ("a/b", "Applied")
    assert (await office.post("/runs", **body))["created"] is False


async def test_a_signal_is_sent_into_a_run(office: Office) -> None:
    await office.start("r", "later")
    done = await office.post("/runs/r/signals", type="Moved", payload={"street": "Oak Street"})
    found = await office.get("/runs/r/history", params=at(done["position"]))
    assert "Moved" in [row["type"].rpartition(".")[2] for row in found["items"]]


async def test_a_run_is_paused_resumed_and_cancelled_and_says_who_did_it_and_why(office: Office) -> None:
    await office.start("r", "later")
    done = await office.post("/runs/r/pause", reason="lunch")
    assert (await office.get("/runs/r", params=at(done["position"])))["paused"] is True
    again = await office.post("/runs/r/pause", 409)
    assert (again["verdict"], again["cure"]) == ("no_change", "Look at the run again.")
    await office.post("/runs/r/resume")
    done = await office.post("/runs/r/cancel", reason="enough")
    assert (await office.get("/runs/r", params=at(done["position"])))["status"] == "cancelled"
    audit = (await office.get("/audit", params={"run_id": "r", **at(done["position"])}))["items"]
    assert [(act["kind"], act["verdict"], act["why"]) for act in audit] == [
        ("cancel", "admitted", "enough"),
        ("resume", "admitted", None),
        ("pause", "no_change", None),
        ("pause", "admitted", "lunch"),
    ]
    assert {(act["by"], act["via"], act["ip"]) for act in audit} == {(Settings().local, "loopback", "127.0.0.1")}
    assert (await office.post("/runs/r/cancel", 422))["problems"][0]["where"] == "body.reason"
    assert (await office.post("/runs/nobody/cancel", 404, reason="x"))["verdict"] == "no_run"


async def test_a_parked_step_is_retried_as_it_was_or_with_another_input(office: Office) -> None:
    await office.start("r", "break", token="s3cret")
    await office.until("/runs/r", lambda run: run["status"] == "failed")
    (step,) = [s for s in (await office.get("/runs/r/steps"))["items"] if s["state"] == "parked"]
    assert (await office.post("/runs/r/retry", 409, failure="another"))["status"] == 409
    done = await office.post("/runs/r/retry", failure=step["parked_by"], reason="again")
    assert done["count"] == 1
    await office.until("/runs/r", lambda run: run["status"] == "failed" and run["failures"] == 2)
    wrong = await office.post("/runs/r/retry", 422, payload={"customer": ["s3cret"]})
    assert "s3cret" not in str(wrong)
    assert (await office.post("/runs/r/retry", 422, type="Closed", payload={}))["detail"].startswith(
        "handle took no Closed"
    )
    done = await office.post("/runs/r/retry", payload={"wish": ""}, reason="without the drawer")
    await office.until("/runs/r", lambda run: run["status"] == "completed")
    assert (await office.post("/runs/r/retry", 409, payload={"wish": ""}))["cure"]


async def test_another_input_keeps_what_is_not_named_secrets_and_fields_within_fields_too(office: Office) -> None:
    await office.start("r", "break", pin="1234", place={"street": "Elm Street", "town": "Rome"})
    await office.until("/runs/r", lambda run: run["status"] == "failed")
    done = await office.post("/runs/r/retry", payload={"wish": "", "place": {"town": "Oslo"}})
    closed = (await office.get("/runs/r/history", params=at(done["position"])))["items"]
    await office.until("/runs/r", lambda run: run["status"] == "completed")
    closed = (await office.get("/runs/r/history"))["items"]
    assert closed[-1]["payload"]["said"] == "well, with 1234, at Elm Street in Oslo"


async def test_what_somebody_answered_is_not_changed_by_others(office: Office) -> None:
    question = await asked(office)
    body = {"run_id": "r", "type": "Granted", "payload": {"broken": True}, "by": "ann", "hash": question["hash"]}
    await office.post(f"/decisions/{question['id']}/answers", **body)
    await office.until("/runs/r", lambda run: run["status"] == "failed")
    refused = await office.post("/runs/r/retry", 409, payload={"broken": False, "by": "bob"})
    assert refused["detail"].startswith("Granted is somebody's answer")


async def test_what_is_decided_on_is_shown_to_those_who_are_asked_or_may_see_what_is_personal(
    database_url: str,
) -> None:
    tokens, shown = some_tokens(clerk=Role.DECIDE, grafana=Role.SEE, other=Role.DECIDE, personal=Role.SEE)
    async with an_office(database_url, Settings(tokens=tokens)) as office:
        office.http.headers["Authorization"] = f"Bearer {shown['clerk']}"
        question = await asked(office)
        places = (
            "/decisions",
            f"/decisions/{question['id']}",
            "/runs/r/history?everything=true",
            "/runs/r/state?offset=9999",
        )
        pages = ("/inbox", "/runs/r", "/runs/r?tab=events")
        for name, sees in (("clerk", True), ("personal", True), ("other", False), ("grafana", False)):
            headers = {"Authorization": f"Bearer {shown[name]}"}
            told = [(await office.http.get(f"/api/v1{place}", headers=headers)).text for place in places]
            told += [(await office.http.get(page, headers=headers)).text for page in pages]
            of_records = name == "personal"
            assert ["Kafka & Sons" in text.replace("&amp;", "&") for text in told] == [
                sees, sees, of_records, sees, sees, sees, of_records or sees,
            ], name  # fmt: skip
            assert "hush" not in "".join(told)


async def test_all_of_one_cause_are_retried_at_once(office: Office) -> None:
    for n in range(3):
        await office.start(f"r-{n}", "break")
    (cause,) = (await office.until("/failures", lambda f: f["items"] and f["items"][0]["parked"] == 3))["items"]
    done = await office.post(f"/failures/{cause['fingerprint']}/retry", reason="mended")
    assert done["count"] == 3
    assert (await office.post("/failures/nothing/retry"))["count"] == 0


async def test_a_question_is_answered_bound_to_what_was_looked_at(office: Office) -> None:
    question = await asked(office)
    answers = f"/decisions/{question['id']}/answers"
    body = {"run_id": "r", "type": "Refused", "payload": {"reason": "dull"}, "by": "ann", "comment": "sorry"}
    stale = await office.post(answers, 409, **body, hash="00" * 16)
    assert (stale["verdict"], stale["title"]) == ("other_subject", "Something else by now")
    done = await office.post(answers, **body, hash=question["hash"])
    (found,) = (await office.get("/decisions", params={"state": "answered", "run_id": "r", **at(done["position"])}))[
        "items"
    ]
    assert found["votes"] == [{"by": "ann", "answer": question["answers"][1]}]
    again = await office.post(answers, 409, **body, hash=question["hash"])
    assert again["verdict"] == "not_pending"


async def test_who_answers_is_asked_and_answers_in_their_own_name(database_url: str) -> None:
    tokens, shown = some_tokens(clerk=Role.DECIDE, boss=Role.ADMINISTER)
    async with an_office(database_url, Settings(tokens=tokens)) as office:
        office.http.headers["Authorization"] = f"Bearer {shown['clerk']}"
        question = await asked(office)
        answers = f"/decisions/{question['id']}/answers"
        body = {"run_id": "r", "type": "Granted", "payload": {}, "hash": question["hash"]}
        as_boss = {"Authorization": f"Bearer {shown['boss']}"}
        refused = await office.http.post(f"/api/v1{answers}", json=body, headers=as_boss)
        assert (refused.status_code, refused.json()["to"]) == (403, ["role:clerk"])
        assert (await office.post(answers, 403, **body, by="ann"))["detail"] == "Nobody answers in another's name."
        assert (await office.get("/decisions?mine=true"))["items"]
        assert not (await office.http.get("/api/v1/decisions?mine=true", headers=as_boss)).json()["items"]
        done = await office.post(answers, **body)
        (act,) = (await office.get("/audit", params=at(done["position"])))["items"]
        assert (act["kind"], act["by"], act["via"]) == ("answer", "clerk", "token")


async def test_a_reactor_is_stopped_and_let_go_on(office: Office) -> None:
    done = await office.post("/reactors/handle/stop", reason="the bank is closed")
    rows = (await office.get("/reactors", params=at(done["position"])))["items"]
    assert [row["reactor"] for row in rows if row["stopped"]] == ["handle"]
    (policy,) = (await office.get("/policies"))["items"]
    assert (policy["reactor"], policy["stopped"], policy["why"]) == ("handle", True, "the bank is closed")
    done = await office.post("/reactors/handle/go-on")
    rows = (await office.get("/reactors", params=at(done["position"])))["items"]
    assert not [row for row in rows if row["stopped"]]
    done = await office.post("/reactors/*/stop", reason="night")
    assert all(row["stopped"] for row in (await office.get("/reactors", params=at(done["position"])))["items"])
    assert (await office.post("/reactors/nobody/stop", 404, reason="x"))["known"] == sorted(HANDLES)


async def test_a_schedule_is_paused_resumed_and_fired(office: Office) -> None:
    done = await office.post("/schedules/leap/pause", reason="the mail server moves")
    (act,) = (await office.get("/audit", params=at(done["position"])))["items"]
    assert (act["kind"], act["type"], act["run_id"]) == ("schedule", "farandole.SchedulePaused", "leap")
    assert (act["by"], act["why"], act["verdict"]) == (Settings().local, "the mail server moves", "admitted")
    assert (act["via"], act["ip"]) == ("loopback", "127.0.0.1")
    (schedule,) = (await office.get("/schedules"))["items"]
    assert (schedule["paused"], schedule["by"], schedule["next"]) == (True, Settings().local, [])
    done = await office.post("/schedules/leap/resume")
    (act, _) = (await office.get("/audit", params=at(done["position"])))["items"]
    assert (act["type"], act["by"], act["why"]) == ("farandole.ScheduleResumed", Settings().local, None)
    assert not (await office.get("/schedules"))["items"][0]["paused"]
    done = await office.post("/schedules/leap/fire", reason="to see it")
    (act, *_) = (await office.get("/audit", params=at(done["position"])))["items"]
    assert (act["kind"], act["by"], act["why"]) == ("tick", Settings().local, "to see it")
    await office.until(f"/runs/{done['run_id']}", lambda run: run["status"] == "completed")
    page = (await office.http.get("/audit")).text
    for said in ("SchedulePaused", "ScheduleResumed", "the mail server moves", "to see it"):
        assert said in page
    assert (await office.post("/schedules/nobody/fire", 404))["known"] == ["leap"]


async def test_what_was_sent_is_in_no_message_and_no_log_line(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for body in (
        {"type": "Applied", "payload": {"customer": {"x": "s3cret"}}},
        {"type": "Applied", "payload": {"customer": "x", "other": "s3cret"}},
        {"type": "s3cret"},
        {"type": "Applied", "payload": "s3cret"},
        {"type": "Applied", "payload": {"customer": "x"}, "run_id": "s3cret" * 100},
        {"s3cret": 1},
    ):
        problem = await office.post("/runs", 422, **body)
        assert "s3cret" not in {k: v for k, v in problem.items() if k != "problems"}["detail"] or body == {"s3cret": 1}
    await office.start("r", token="pl4nted", street="pl4nted")
    await office.client.run("r").result()
    await office.get("/runs/r/history")
    assert "pl4nted" not in caplog.text
    assert not [r for r in caplog.records if "s3cret" in r.getMessage()]


async def test_an_act_is_told_in_the_log_of_the_server(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    await office.start("r", "later")
    await office.post("/runs/r/cancel", reason="x")
    (line,) = [r for r in caplog.records if r.name == "farandole.dashboard" and "cancel" in r.getMessage()]
    assert (line.__dict__["run_id"], line.__dict__["via"]) == ("r", "loopback")


async def test_without_the_code_runs_are_looked_after_and_nothing_is_started(database_url: str) -> None:
    async with an_office(database_url, code=False) as office:
        await office.start("r", "later")
        problem = await office.post("/runs", 422, type="Applied", payload={"customer": "x"})
        assert problem["cure"] == "Serve it with its app: farandole serve app:choreography."
        await office.until("/runs/r", lambda run: run["status"] == "waiting")
        await office.post("/runs/r/cancel", reason="x")


async def test_two_who_answer_at_once_are_told_who_was_first(office: Office) -> None:
    question = await asked(office)
    body = {"run_id": "r", "payload": {}, "hash": question["hash"]}
    url = f"/api/v1/decisions/{question['id']}/answers"
    both = await asyncio.gather(
        office.http.post(url, json={**body, "type": "Granted", "by": "ann"}),
        office.http.post(url, json={**body, "type": "Refused", "by": "bob"}),
    )
    assert sorted(answer.status_code for answer in both) == [202, 409]
