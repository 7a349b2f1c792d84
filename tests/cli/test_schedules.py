"""`schedules`: what ticks, and what people do to it."""

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


def test_a_schedule_is_listed_paused_fired_resumed_and_removed(cli: Cli, store: str) -> None:
    with working(store, app=APP):
        until(lambda: '"night"' in cli("schedules", APP, "--json", "-s", store).out)
        [night] = cli("schedules", APP, "--json", "-s", store).json
        assert night["schedule"] == "night"
        assert night["when"] == "0 2 29 2 *"
        assert len(night["next"]) == 5
        assert cli("schedules", APP, "pause", "night", "--by", "ann", "-s", store).code == 0
        [night] = cli("schedules", APP, "--json", "-s", store).json
        assert (night["paused"], night["by"], night["next"]) == (True, "ann", [])
        assert "paused by ann" in cli("schedules", "-c", "nights", "-s", store).out
        fired = cli("schedules", APP, "fire", "night", "--json", "-s", store).json["run"]
        assert fired.startswith("night@")
        until(lambda: '"completed"' in cli("status", "-c", "nights", fired, "--json", "-s", store).out)
        assert cli("schedules", APP, "resume", "night", "-s", store).code == 0
        assert cli("schedules", APP, "remove", "night", "-s", store).code == 0
        assert cli("schedules", APP, "--json", "-s", store).json == []


def test_an_unknown_schedule_is_code_3_and_an_unknown_verb_code_2(cli: Cli, store: str) -> None:
    cli("start", APP, "NightStarted", "{}", "-s", store)
    said = cli("schedules", APP, "pause", "day", "-s", store)
    assert said.code == 3
    assert "there are none yet" in said.err
    assert cli("schedules", APP, "stop", "night", "-s", store).code == 2
