"""Sagas, states and edited retries on every store, with a worker killed in the middle."""

import asyncio
import secrets
from collections import Counter
from itertools import count
from pathlib import Path

import pytest
from tests.reactors.working.controls import Stage, eventually

from farandole.eventstore import SystemClock
from farandole.projections import State, on
from farandole.reactors import Choreography, GiveUp, Step
from farandole.schemas import End, Event, Signal, Start
from farandole.schemas.envelope import Kind

_numbers = count(1)


@pytest.fixture(params=["memory", "sqlite", pytest.param("kafka", marks=pytest.mark.kafka)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "memory":
        return f"memory://saga-{next(_numbers)}"
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'saga.db'}"
    return f"kafka://{request.getfixturevalue('kafka')}"


class Begun(Start):
    legs: int


class Booked(Event):
    leg: int


class Called(Signal):
    name: str


class Noted(Event, wants_reactor=False):
    legs: int
    name: str


class Abandoned(End, compensate=True): ...


class Legs(State):
    booked: int = 0

    @on
    def was_booked(self, event: Booked) -> None:
        self.booked += 1


async def test_every_step_is_undone_once_though_the_worker_is_killed_while_it_undoes(url: str) -> None:
    trips, undone, hold = Choreography(f"trips_{secrets.token_hex(4)}"), list[tuple[str, int, str]](), asyncio.Event()

    async def cancel(booked: Booked, step: Step) -> None:
        if booked.leg == 3:
            await hold.wait()
        undone.append((step.run_id, booked.leg, step.key))

    @trips.reactor(compensate=cancel)
    async def begin(begun: Begun) -> Booked:
        return Booked(leg=1)

    @trips.reactor(compensate=cancel)
    async def go_on(booked: Booked) -> Booked | Abandoned:
        return Booked(leg=booked.leg + 1) if booked.leg < 5 else Abandoned()

    async with Stage(url, partitions=2, clock=SystemClock()) as stage:
        first = await stage.worker(trips)
        client = await stage.client(trips)
        runs = [await client.start(Begun(legs=5)) for _ in range(6)]
        for run in runs:
            await run.result(Abandoned, timeout="30s")
        await eventually(lambda: Counter(leg for _, leg, _ in undone)[4] == len(runs))
        await first.kill()
        hold.set()
        await stage.worker(trips)
        log = await stage.folded(trips, lambda log: not log.open)
        done = [out.envelope for _, out in log.of(Kind.OUTCOME) if out.envelope is not None]
        assert max(Counter((e.causation, e.reactor, e.generation) for e in done).values()) == 1
        for run in runs:
            # What was undone, and not in the log yet when the worker was killed, is undone again under the same key.
            legs = dict.fromkeys((leg, key) for id, leg, key in undone if id == run.id)
            assert [leg for leg, _ in legs] == [5, 4, 3, 2, 1]
            assert len({key for _, key in legs}) == 5


async def test_an_edited_step_looks_at_a_state_after_a_restart(url: str) -> None:
    trips = Choreography(f"trips_{secrets.token_hex(4)}")

    @trips.reactor
    async def begin(begun: Begun) -> tuple[Booked, Booked]:
        return Booked(leg=1), Booked(leg=2)

    @trips.reactor
    async def note(called: Called, legs: Legs) -> Noted:
        if not called.name:
            raise GiveUp("nobody has no name")
        return Noted(legs=legs.booked, name=called.name)

    async with Stage(url, partitions=2, clock=SystemClock()) as stage:
        first = await stage.worker(trips)
        client = await stage.client(trips)
        run = await client.start(Begun(legs=2))
        await stage.folded(trips, lambda log: len(log.steps) == 1)
        await run.send(Called(name=""))
        await stage.folded(trips, lambda log: any(r.parked for fold in log.folds for r in fold.runs.values()))
        await first.kill()
        await run.retry("she has one", edit=Called(name="ann"))
        await stage.worker(trips)
        await stage.folded(trips, lambda log: len(log.steps) == 2)
        found = [recorded.event async for recorded in run.events(live=False)]
        assert found[-1] == Noted(legs=2, name="ann")
