"""Whatever is asked, and however oddly, is answered: with what there is, or with what is wrong; never by breaking."""

from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import quote

import pytest
from tests.dashboard.desks import an_office

from farandole.projections.runs.query.pages import cursor_of

ODD = (
    "", "0", "-1", "99999999999999999999999", "1e9", "null", "true", "é" * 300, "a\x00b", "a\ud7ffb", "%", "%00", "../x", "a/b",
    "' OR 1=1 --", '"', "*", "[", "\\", "<script>alert(1)</script>", "0=1", "0=99999999999999999999", "W10", "WzEsMiwzXQ", "x" * 5000,
)  # fmt: skip
BIG = "9" * 25
SEED = 6
ROUNDS = 12


async def test_odd_questions_are_answered(tmp_path: Path) -> None:
    random = Random(SEED)
    async with an_office(tmp_path) as office:
        office.desk.runs._patience = 0.01
        await office.start("r", "ask")
        await office.until("/decisions", lambda found: found["items"])
        paths = (await office.http.get("/api/openapi.json")).json()["paths"]
        for path, methods in sorted(paths.items()):
            if "get" not in methods or path.endswith(("/stream", "/live")):
                continue
            known = list(methods["get"].get("parameters", ()))
            for _ in range(ROUNDS):
                url, query = filled(path, known, random)
                answer = await office.http.get(url, params=query)
                assert answer.status_code < 500 or answer.json()["title"] == "Not there yet", (url, query, answer.text)


@pytest.mark.parametrize(
    "question",
    [
        f"/runs?started_from={BIG}", f"/runs/r/state?offset={BIG}", f"/runs/r/state?at={BIG}", f"/minutes?since={BIG}",
        f"/audit?since={BIG}", f"/runs?cursor={cursor_of(int(BIG), 1, 1)}", "/runs?text=%00", "/runs?parent=%00",
    ],
)  # fmt: skip
async def test_what_no_database_takes_is_refused(tmp_path: Path, question: str) -> None:
    async with an_office(tmp_path) as office:
        assert (await office.http.get(f"/api/v1{question}")).status_code in (400, 422)


@pytest.mark.parametrize(
    "body",
    [
        b'{"type": "Applied", "payload": {"customer": "\\ud800"}}',
        b'{"type": "Applied", "payload": {"customer": "x"}, "run_id": "\\ud800"}',
        b'{"type": "\\ud800"}',
        b"[" * 100_000,
        b'{"type": "Applied", "payload":' + b'{"a":' * 5_000 + b"1" + b"}" * 5_001,
    ],
)  # fmt: skip
async def test_a_body_that_nobody_can_read_is_refused(tmp_path: Path, body: bytes) -> None:
    async with an_office(tmp_path) as office:
        answer = await office.http.post("/api/v1/runs", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code in (400, 422)


async def test_odd_acts_are_answered(tmp_path: Path) -> None:
    random = Random(SEED)
    async with an_office(tmp_path) as office:
        paths = (await office.http.get("/api/openapi.json")).json()["paths"]
        bodies: list[Any] = [{}, [], None, 1, "x", {"reason": "x"}, {"reason": 1}]
        for path, methods in sorted(paths.items()):
            for _ in range(ROUNDS if "post" in methods else 0):
                url, _ = filled(path, methods["post"].get("parameters", ()), random)
                body = random.choice([*bodies, {"type": random.choice(ODD), "payload": random.choice(bodies)}])
                answer = await office.http.post(url, json=body)
                assert answer.status_code < 500, (url, body, answer.text)


def filled(path: str, parameters: Any, random: Random) -> tuple[str, dict[str, str]]:
    query = {}
    for each in parameters:
        value = random.choice(ODD)
        if each["in"] == "path":
            path = path.replace("{" + each["name"] + "}", quote(random.choice([*ODD, "r"]) or "r", safe=""))
        elif each["in"] == "query" and (each.get("required") or random.random() < 0.3):
            query[each["name"]] = value
    return path, query
