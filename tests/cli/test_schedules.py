"""`schedules`: what ticks, and what people do to it."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from .conftest import Cli, until, working

APP = "nights_app:nights"


@pytest.fixture
def store(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/nights.db"


def test_a_log_without_schedules_says_so(cli: Cli, tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/none.db"
    cli("start", "shop_app:shop", "Ordered", '{"item": "book"}', "-s", store)
    assert "no schedule" in cli("schedules", "-c", "shop", "-s", store).out


def test_a_schedule_is_listed_paused_fired_resumed_and_removed(cli: Cli, store: str, tmp_path: Path) -> None:
    with working(store, app=APP):
        until(lambda: '"night"' in cli("schedules", APP, "--json", "-s", store).out)
        [night] = cli("schedules", APP, "--json", "-s", store).json
        assert night["schedule"] == "night"
        assert night["when"] == "0 2 29 2 *"
        assert len(night["next"]) == 5
        assert cli("schedules", APP, "pause", "night", "--by", "ann", "--why", "x", "-s", store).code == 0
        [night] = cli("schedules", APP, "--json", "-s", store).json
        assert (night["paused"], night["by"], night["next"]) == (True, "ann", [])
        assert "paused by ann" in cli("schedules", "-c", "nights", "-s", store).out
        fired = cli("schedules", APP, "fire", "night", "--by", "ben", "--json", "-s", store).json["run"]
        assert fired.startswith("night@")
        until(lambda: '"completed"' in cli("status", "-c", "nights", fired, "--json", "-s", store).out)
        assert cli("schedules", APP, "resume", "night", "-s", store).code == 0
        assert cli("schedules", APP, "remove", "night", "-s", store).code == 0
        assert cli("schedules", APP, "--json", "-s", store).json == []
    db = ("--db", f"sqlite:///{tmp_path}/runs.db")
    assert cli("rebuild", "-c", "nights", *db, "-s", store).code == 0
    with closing(sqlite3.connect(tmp_path / "runs.db")) as tables:
        query = "SELECT type, run_id, by, why FROM records WHERE kind IN ('schedule', 'tick') ORDER BY log_offset"
        assert tables.execute(query).fetchall() == [
            ("farandole.SchedulePaused", "night", "ann", "x"), ("farandole.Tick", "night", "ben", None),
            ("farandole.ScheduleResumed", "night", None, None), ("farandole.ScheduleRemoved", "night", None, None),
        ]  # fmt: skip


def test_an_unknown_schedule_is_code_3_and_an_unknown_verb_code_2(cli: Cli, store: str) -> None:
    cli("start", APP, "NightStarted", "{}", "-s", store)
    said = cli("schedules", APP, "pause", "day", "-s", store)
    assert said.code == 3
    assert "there are none yet" in said.err
    assert cli("schedules", APP, "stop", "night", "-s", store).code == 2
