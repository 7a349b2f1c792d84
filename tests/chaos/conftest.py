"""Playing cells in tests."""

import os
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from . import cells
from .broker import TheBroker
from .cell import CELLS, play
from .report import summary
from .trial import Trial

__all__ = ["cells"]

Play = Callable[[str], Awaitable[Trial]]


@pytest.fixture(scope="package")
def place() -> Iterator[TheBroker]:
    with TheBroker() as place:
        yield place


@pytest.fixture
def played(tmp_path: Path, place: TheBroker) -> Play:
    """Plays a cell with the amounts of the tests, from a seed that is told, and asserts that no promise was broken."""

    async def played(name: str) -> Trial:
        # The campaign is for other seeds; here a change of the code is to be all that can change what comes of it.
        seed = int(os.environ.get("FARANDOLE_SEED", "1"))
        trial = Trial(name, seed, tmp_path, place)
        await play(CELLS[name], trial, CELLS[name].tested or {})
        print(summary(trial.as_dict()))
        assert trial.anomalies == []
        assert trial.figures["faults"]
        return trial

    return played
