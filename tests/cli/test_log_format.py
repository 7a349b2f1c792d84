"""What `work` and `project` write to stderr: one JSON object a line where asked for, with its fields."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Cli, spawn, stop, until, working

PRICE = "4711"


@pytest.fixture
def store(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'shop.db'}"


def objects(err: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in err.splitlines()]


def test_a_worker_tells_of_a_failing_step_in_json(cli: Cli, store: str) -> None:
    order = f'{{"item": "broken", "count": {PRICE}}}'
    with working(store, "--log-format", "json", "--log-level", "debug") as worker:
        assert cli("start", "shop_app:shop", "Ordered", order, "-s", store, "--run-id", "r1").code == 0
        until(lambda: '"failed"' in cli("status", "-c", "shop", "r1", "-s", store, "--json").out)
        cli("start", "shop_app:shop", "Ordered", order, "-s", store, "--run-id", "r1")
        lines = objects(stop(worker).err)
    (final,) = [line for line in lines if "failed for good" in line["message"]]
    (again,) = [line for line in lines if "is followed by another" in line["message"]]
    for line in (final, again):
        assert line["run_id"] == "r1"
        assert line["reactor"] == "pay"
        assert line["event_id"]
        assert 0 <= line["partition"] < 16
    assert final["level"] == "warning"
    assert {"time", "level", "logger", "message", "pid"} <= final.keys()
    assert [line for line in lines if PRICE in line["message"] or "till" in line["message"]] == []


def test_a_projector_writes_json_lines(cli: Cli, store: str, tmp_path: Path) -> None:
    assert cli("start", "shop_app:shop", "GiftOrdered", '{"to": "ann"}', "-s", store).code == 0
    db = f"sqlite:///{tmp_path / 'runs.db'}"
    projector = spawn("project", "-c", "shop", "-s", store, "--db", db, "--log-format", "json")
    assert projector.stderr is not None
    first = json.loads(projector.stderr.readline())
    assert first["message"].startswith("projecting shop at sqlite:")
    assert first["logger"] == "farandole.projector"
    stop(projector)
