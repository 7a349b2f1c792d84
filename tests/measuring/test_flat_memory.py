"""What the soak says of a worker's memory: flat only where that was shown."""

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from benchmarks.soak import soak, told_of
from benchmarks.trend import trend

HOUR = 720
"""Samples, one in five seconds."""


def samples(
    mib: Callable[[float], float], count: int = HOUR, noise: float = 0.05, seed: int = 2
) -> list[dict[str, float]]:
    """What a worker had: MiB by the hours that have gone by."""
    chance = random.Random(seed)
    rest = {"files": 23, "threads": 1, "tasks": 30, "open_runs": 5, "cpu_s": 1.0}
    return [{"s": n * 5.0, "rss_mib": mib(n * 5 / 3600) + chance.gauss(0, noise), **rest} for n in range(1, count + 1)]


def flat(*given: dict[str, float]) -> bool:
    found: bool = told_of(list(given), 2.0, 1000)["flat"]
    return found


def test_the_slope_of_a_line_mostly_lies_in_its_interval() -> None:
    hours = [n / 120 for n in range(120)]
    found = []
    for seed in range(100):
        chance = random.Random(seed)
        found.append(trend(hours, [100 + 3 * hour + chance.gauss(0, 0.2) for hour in hours], draws=200))
    assert 85 <= sum(each.low < 3 < each.high for each in found) < 100
    assert all(each.slope == pytest.approx(3, abs=0.3) for each in found)


def test_blocks_make_the_interval_of_steps_that_last_wide() -> None:
    hours = [n / HOUR for n in range(HOUR)]
    chance = random.Random(1)
    steps = [chance.gauss(0, 1) for _ in range(HOUR // 40)]
    lasting = trend(hours, [steps[n // 40] for n in range(HOUR)])
    alone = trend(hours, [chance.gauss(0, 1) for _ in range(HOUR)])
    assert lasting.high - lasting.low > 2 * (alone.high - alone.low)


def test_memory_that_stays_is_flat() -> None:
    assert flat(*samples(lambda _: 56.6))


def test_memory_that_grew_in_the_warm_up_only_is_flat() -> None:
    assert flat(*samples(lambda hour: 50 + 30 * min(hour, 0.2)))


@pytest.mark.parametrize("mib_per_hour", [1.1, 2.0, 50.0])
def test_memory_that_rises_is_not(mib_per_hour: float) -> None:
    assert not flat(*samples(lambda hour: 50 + mib_per_hour * hour))


def test_a_rise_that_noise_hides_is_not_flat() -> None:
    assert not any(flat(*samples(lambda hour: 50 + 2 * hour, noise=5.0, seed=seed)) for seed in range(6))


def test_noise_in_which_a_rise_could_hide_is_seldom_flat() -> None:
    assert sum(flat(*samples(lambda _: 50, noise=5.0, seed=seed)) for seed in range(12)) < 6


def test_a_few_seconds_show_nothing() -> None:
    with pytest.raises(SystemExit, match="too few samples"):
        told_of(samples(lambda _: 50, count=4), 2.0, 1000)


@pytest.mark.slow
async def test_a_worker_that_leaks_is_not_flat_and_its_log_is_sound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(os.environ, "CHAIN_LEAK", "20000")
    found = await soak(f"sqlite:///{tmp_path / 'log.db'}", minutes=0.2, rate=20, every=0.5)
    leaked = found["runs_per_s"] * 5 * 20_000 * 3600 / 2**20
    assert not found["flat"]
    assert found["rss_mib_per_hour"] > leaked / 2
    assert found["anomalies"] == 0
