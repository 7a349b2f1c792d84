"""One flow on all stores, in real time."""

from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path

import pytest
from tests.reactors.working.controls import Stage

from farandole.eventstore import SystemClock

_numbers = count(1)


@pytest.fixture(params=["memory", "sqlite", pytest.param("kafka", marks=pytest.mark.kafka)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "memory":
        return f"memory://flow-{next(_numbers)}"
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'flow.db'}"
    return f"kafka://{request.getfixturevalue('kafka')}"


@pytest.fixture
async def stage(url: str) -> AsyncIterator[Stage]:
    async with Stage(url, partitions=2, clock=SystemClock()) as stage:
        yield stage
