"""A share of the fault campaign, with small amounts. Each cell asserts what the campaign asserts: no promise broken.

How long recovery takes is told and not asserted, but for the half minute after which nothing may be owed any more.
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from . import cells
from .broker import TheBroker
from .cell import CELLS, play
from .report import summary
from .trial import Trial

__all__ = ["cells"]

TESTED = [each for each in CELLS.values() if each.tested is not None]


@pytest.fixture(scope="module")
def place() -> Iterator[TheBroker]:
    with TheBroker() as place:
        yield place


@pytest.fixture
def trial(request: pytest.FixtureRequest, tmp_path: Path, place: TheBroker) -> Trial:
    seed = int(os.environ.get("FARANDOLE_SEED", time.time_ns() % 2**32))
    return Trial(request.node.callspec.params["name"], seed, tmp_path, place)


async def played(trial: Trial) -> None:
    await play(CELLS[trial.cell], trial, CELLS[trial.cell].tested or {})
    print(summary(trial.as_dict()))
    assert trial.anomalies == []
    assert trial.figures["faults"]


@pytest.mark.kafka
@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize("name", [each.name for each in TESTED if each.on_kafka])
async def test_promises_are_kept_on_kafka_through(name: str, trial: Trial, kafka_tools: None) -> None:
    await played(trial)


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize("name", [each.name for each in TESTED if not each.on_kafka])
async def test_promises_are_kept_without_a_broker_through(name: str, trial: Trial) -> None:
    await played(trial)
