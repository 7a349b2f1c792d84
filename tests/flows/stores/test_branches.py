"""A fan-out of 1,000 is gathered on every store, though a worker dies in the middle of it."""

import asyncio
import secrets
from pathlib import Path

import pytest
from tests.reactors.working.controls import Stage

from farandole.eventstore import SystemClock
from farandole.reactors import Choreography, Failed, Retry
from farandole.schemas import End, Event, Start

BRANCHES = 1000
STORES = ["memory", "sqlite", pytest.param("kafka", marks=pytest.mark.kafka)]


class Split(Start):
    width: int


class Part(Event):
    n: int


class Worked(Event):
    n: int


class Together(End):
    got: list[int]
    failed: list[int]


@pytest.fixture(params=STORES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    match request.param:
        case "memory":
            return f"memory://split-{secrets.token_hex(4)}"
        case "sqlite":
            return f"sqlite:///{tmp_path / 'split.db'}"
        case _:
            return f"kafka://{request.getfixturevalue('kafka')}"


async def test_a_thousand_branches_come_together_whoever_dies(url: str) -> None:
    app = Choreography(f"split_{secrets.token_hex(4)}")
    half = asyncio.Event()
    worked: set[int] = set()

    @app.reactor
    async def split(begun: Split) -> list[Part]:
        return [Part(n=n) for n in range(begun.width)]

    @app.reactor(retry=Retry(attempts=1))
    async def work(part: Part) -> Worked | None:
        worked.add(part.n)
        if len(worked) == BRANCHES // 2:
            half.set()
        if part.n % 100 == 1:
            raise ValueError("a bad one")
        return Worked(n=part.n) if part.n % 100 else None

    @app.reactor
    async def together(parts: list[Worked | Failed[Part]]) -> Together:
        return Together(
            got=[part.n for part in parts if isinstance(part, Worked)],
            failed=[part.event.n for part in parts if isinstance(part, Failed)],
        )

    async with Stage(url, clock=SystemClock()) as stage:
        first = await stage.worker(app)
        client = await stage.client(app)
        run = await client.start(Split(width=BRANCHES))
        result = asyncio.create_task(run.result(Together, timeout="60s"))
        await half.wait()
        first.task.cancel()
        await asyncio.gather(first.task, return_exceptions=True)
        await first.store.close()
        await stage.worker(app)
        end = await result
        assert end.got == [n for n in range(BRANCHES) if n % 100 > 1]
        assert end.failed == [n for n in range(BRANCHES) if n % 100 == 1]


async def test_a_fan_in_that_waits_for_too_long_is_told(url: str) -> None:
    app = Choreography(f"split_{secrets.token_hex(4)}")

    @app.reactor
    async def split(begun: Split) -> list[Part]:
        return [Part(n=n) for n in range(begun.width)]

    @app.reactor
    async def work(part: Part) -> Worked:
        if part.n:
            await asyncio.Event().wait()
        return Worked(n=part.n)

    @app.reactor(within="300ms")
    async def together(parts: list[Worked | Failed[Part]]) -> Together:
        return Together(
            got=[part.n for part in parts if isinstance(part, Worked)],
            failed=[part.event.n for part in parts if isinstance(part, Failed)],
        )

    async with Stage(url, clock=SystemClock()) as stage:
        await stage.worker(app)
        client = await stage.client(app)
        run = await client.start(Split(width=3))
        end = await run.result(Together, timeout="60s")
        log = await stage.fold(app)
        # Which came in time is for the log to say: a busy machine may be late with the first one, too.
        came = [0] if any(step.reactor == "work" for step in log.steps) else []
        assert (end.got, end.failed) == (came, [n for n in range(3) if n not in came])
