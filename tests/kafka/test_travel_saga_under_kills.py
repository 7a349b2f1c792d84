"""The travel booking on a real broker, with workers that are killed: what an abandoned trip booked is given back."""

import asyncio
import os
import random
import secrets
import time
from itertools import count
from pathlib import Path

import pytest

from farandole.reactors import RunHandle
from flow.crew import Crew, assert_no_promise_is_broken, watch
from flow.example_worker import example

AT_ONCE = 12


@pytest.mark.kafka
@pytest.mark.slow
@pytest.mark.timeout(440)
async def test_what_an_abandoned_trip_booked_is_given_back_and_nothing_else(kafka: str, tmp_path: Path) -> None:
    seed = int(os.environ.get("FARANDOLE_SEED", time.time_ns() % 2**32))
    print(f"seed {seed}")
    url, name = f"kafka://{kafka}", f"trips_{secrets.token_hex(4)}"
    p, trips = example("travel_saga", name)
    ends: dict[str, object] = {}
    with Crew("travel_saga", name, url, tmp_path, random.Random(seed), seconds=0.05) as crew:

        async def travel(number: int, run: RunHandle) -> None:
            end = await run.result(p.TripBooked, p.TripAbandoned, timeout="400s")
            assert isinstance(end, p.TripBooked if number % 3 == 0 else p.TripAbandoned)
            ends[run.id] = end

        async def play() -> None:
            numbers = count()
            async with trips.connect(url) as client:

                async def one_after_the_other() -> None:
                    while crew.to_die:
                        number = next(numbers)
                        trip = p.TripAsked(to="Atlantis" if number % 3 == 1 else "Arles", car=number % 3 != 2)
                        await travel(number, await client.start(trip, run_id=f"trip-{number}"))

                await asyncio.gather(*(one_after_the_other() for _ in range(AT_ONCE)))

        found = await watch(kafka, crew, len(trips.reactors), play, 400)
    print(f"{len(ends)} trips, {found.records} records")
    assert_no_promise_is_broken(found)
    assert sorted(run.key.decode() for run in found.runs) == sorted(ends)
    booked = {deed.result: deed for deed in crew.deeds if deed.what == "book"}
    given_back = {deed.to[0] for deed in crew.deeds if deed.what == "give_back"}
    assert given_back <= booked.keys()
    abandoned = sum(isinstance(end, p.TripAbandoned) for end in ends.values())
    # A flight each, and of those without a car the hotel too. Where a worker died after booking, the same key booked again.
    assert sum(ref.startswith("flight") for ref in given_back) == abandoned
    assert sum(ref.startswith("flight") for ref in booked) == len(ends)
    assert sum(ref.startswith("car") for ref in booked) == len(ends) - abandoned
    assert not any(ref.startswith("car") for ref in given_back)
    without_car = sum(int(id.rpartition("-")[2]) % 3 == 2 for id in ends)
    assert sum(ref.startswith("hotel") for ref in given_back) == without_car
