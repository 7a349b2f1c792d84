"""A seed is all that a world depends on."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from simulation import run_seed


@pytest.mark.parametrize("seed", [3, 12, 17])
def test_the_same_seed_gives_the_same_log_to_the_last_byte(seed: int) -> None:
    first, second = run_seed(seed), run_seed(seed)
    assert first.digest == second.digest
    assert first == second


def test_another_seed_gives_another_log() -> None:
    assert run_seed(1).digest != run_seed(2).digest


def test_another_process_with_other_hashes_gives_the_same_log() -> None:
    seeds = [5, 12, 33]
    code = f"from simulation import run_seed; print(*(run_seed(seed).digest for seed in {seeds}))"
    path = os.pathsep.join([str(Path(__file__).parents[1]), *filter(None, sys.path)])
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": "4711"}
    other = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert other.stdout.split() == [run_seed(seed).digest for seed in seeds]


def test_what_happens_can_be_followed() -> None:
    lines: list[str] = []
    traced = run_seed(4, trace=lines.append)
    assert any("starts" in line for line in lines)
    assert traced.digest == run_seed(4).digest
