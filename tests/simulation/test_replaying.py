"""A seed is all that a world depends on: not what ran before it, nor in which process."""

import json
from pathlib import Path
from typing import Any

import pytest

from simulation import RULES, run_seed
from simulation.campaign import Summary, campaign
from simulation.elsewhere import digests_elsewhere


@pytest.mark.parametrize("seed", [3, 12, 17])
def test_the_same_seed_gives_the_same_log_to_the_last_byte(seed: int) -> None:
    first, second = run_seed(seed), run_seed(seed)
    assert first.digest == second.digest
    assert first == second


def test_another_seed_gives_another_log() -> None:
    assert run_seed(1).digest != run_seed(2).digest


def test_another_process_with_other_hashes_gives_the_same_log_though_other_worlds_were_first_here() -> None:
    seeds = [5, 12, 33]
    there = digests_elsewhere(seeds)
    run_seed(40, off=RULES["framing"])
    for seed in range(41, 50):
        run_seed(seed)
    assert there == [run_seed(seed).digest for seed in seeds]


def test_what_happens_can_be_followed() -> None:
    lines: list[str] = []
    traced = run_seed(4, trace=lines.append)
    assert any("starts" in line for line in lines)
    assert traced.digest == run_seed(4).digest


def test_a_campaign_is_summed_up_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = tmp_path / "summary.json"
    assert campaign(range(7, 10), 1, None, report) == 0
    written: dict[str, Any] = json.loads(report.read_text())
    expected = Summary(range(7, 10))
    for seed in range(7, 10):
        expected.add(run_seed(seed))
    assert written == {**expected.as_json(), "seconds": written["seconds"]}
    assert written["records"] == sum(written["verdicts"].values())
    assert "0 bad" in capsys.readouterr().out


def test_a_campaign_names_its_bad_seeds_and_how_to_see_them_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "summary.json"
    assert campaign(range(2), 1, "framing", report) == 1
    assert json.loads(report.read_text())["bad"]
    assert "--trace --without 'framing'" in capsys.readouterr().out
