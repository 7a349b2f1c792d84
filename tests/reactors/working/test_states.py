"""States of runs: equal to folding by hand at every trigger, however steps come, and within a budget of memory."""

import asyncio
from collections.abc import Sequence
from random import Random
from typing import Any

import pytest
from pydantic import Field
from tests.reactors.working.controls import Begun, Done, Nudged, Stage, a_stage, eventually, virtual

from farandole.eventstore import Record
from farandole.projections import State, fold_state, on
from farandole.reactors import Choreography, Run
from farandole.reactors.statecache import StateCache, size_of_state
from farandole.schemas import Event, Signal, upcast
from farandole.schemas.envelope import Kind


class Asked(Signal): ...


class Met(Event):
    note: str


class Counted(State):
    notes: list[str] = Field(default_factory=list)
    met: int = 0

    @on
    def nudged(self, event: Nudged) -> None:
        self.notes.append(event.note)

    @on
    def was_met(self, event: Met) -> None:
        self.met += 1


def looking(seen: list[tuple[str, str]], wrong: list[str], random: Random) -> Choreography:
    dance = Choreography("dance")

    @dance.reactor
    async def begin(begun: Begun) -> None: ...

    @dance.reactor
    async def meet(nudged: Nudged, run: Run[Begun], state: Counted) -> Met | None:
        await look(nudged.note, run, state)
        return Met(note=nudged.note) if random.random() < 0.5 else None

    @dance.reactor
    async def tell(met: Met, run: Run[Begun], state: Counted) -> None:
        await look("met " + met.note, run, state)

    async def look(what: str, run: Run[Begun], state: Counted) -> None:
        seen.append((run.id, what))
        by_hand = fold_state(Counted, await run.events(Nudged, Met))
        if state != by_hand:
            wrong.append(f"{what}: {state} instead of {by_hand}")
        state.notes.append("mine")
        await asyncio.sleep(random.random() ** 4 * 20)

    return dance


@pytest.mark.parametrize("memory", [64 << 20, 9000, 0], ids=["plenty", "little", "none"])
@pytest.mark.parametrize("seed", range(3))
@virtual
async def test_a_state_is_what_folding_by_hand_gives_at_every_trigger(seed: int, memory: int) -> None:
    random, seen, wrong = Random(seed), [], []
    dance = looking(seen, wrong, random)
    async with Stage(partitions=2) as stage:
        at_work = await stage.worker(dance, memory=memory)
        client = await stage.client(dance)
        runs = [await client.start(Begun(), run_id=f"run-{n}") for n in range(4)]
        for n in range(60):
            await random.choice(runs).send(Nudged(note=str(n)))
            if n % 20 == 19:
                await at_work.stop()
                at_work = await stage.worker(dance, memory=memory)
        await eventually(
            lambda: {w for _, w in seen} >= {str(n) for n in range(60)} and not at_work.worker.dispatcher.held
        )
        assert not wrong
        for serving in at_work.worker.partitions.values():
            assert serving.states is not None
            assert serving.states.bytes <= memory // 2


@virtual
async def test_states_go_with_their_runs() -> None:
    dance = Choreography("dance")

    @dance.reactor
    async def end(nudged: Nudged, state: Counted) -> Done | None:
        return Done() if len(state.notes) > 3 else None

    async with a_stage(dance) as (_, client, at_work):
        runs = [await client.start(Begun()) for _ in range(5)]
        for n in range(4):
            for run in runs:
                await run.send(Nudged(note=str(n)))
        for run in runs:
            await run.result(Done)
        await eventually(lambda: not at_work.worker.partitions[0].fold.runs)
        states = at_work.worker.partitions[0].states
        assert states is not None
        assert (states.bytes, states._kept, states._of) == (0, {}, {})


@virtual
async def test_an_event_that_cannot_be_read_parks_the_step() -> None:
    dance = Choreography("dance")

    @dance.reactor
    async def end(asked: Asked, state: Counted) -> Done:
        return Done()

    async with a_stage(dance) as (stage, client, at_work):
        run = await client.start(Begun())
        scribe = stage.scribe(dance)
        record = scribe.signal(run.id.encode(), Nudged(note="x"), scribe.now() // 1000 + 60_000)
        await at_work.store.append(0, [Record(record.key, b"\xff\xff\xff\xff", record.headers)])
        await run.send(Asked())
        log = await stage.folded(dance, lambda log: log.of(Kind.FAILURE))
        ((_, out),) = log.of(Kind.FAILURE)
        assert out.run is not None
        assert out.run.parked == 1


class Named(Signal, name="Named"):
    first: str


class NamedNow(Signal, name="Named", version=2):
    whole: str

    @staticmethod
    @upcast(1)
    def first_names_only(old: dict[str, Any]) -> dict[str, Any]:
        return {"whole": old["first"] + " of old"}


class Names(State):
    names: list[str] = Field(default_factory=list)

    @on
    def named(self, event: NamedNow) -> None:
        self.names.append(event.whole)


@virtual
async def test_an_event_of_an_older_version_is_folded_as_the_newer_one() -> None:
    older, newer, seen = Choreography("dance"), Choreography("dance"), []
    older.know(Named)

    @older.reactor
    async def begin(begun: Begun) -> None: ...

    @newer.reactor
    async def tell(asked: Asked, state: Names) -> Done:
        seen.extend(state.names)
        return Done()

    async with Stage() as stage:
        first = await stage.client(older)
        run = await first.start(Begun(), run_id="run")
        await run.send(Named(first="Ann"))
        await stage.worker(newer)
        client = await stage.client(newer)
        await client.run("run").send(NamedNow(whole="Bo"))
        await client.run("run").send(Asked())
        await run.result(Done)
        assert seen == ["Ann of old", "Bo"]


async def test_what_goes_on_meanwhile_is_not_folded_twice() -> None:
    cache, gate = StateCache(most_bytes=1 << 20), asyncio.Event()
    events: Sequence[Event] = [Nudged(note=str(n)) for n in range(10)]
    reads = []

    async def read(begin: int, end: int) -> tuple[Sequence[Event], int]:
        reads.append((begin, end))
        await gate.wait()
        return events[begin:end], 100

    asked = [asyncio.ensure_future(cache.get(b"run", Counted, n, read, lambda: True)) for n in (3, 7, 5, 7, 10, 2)]
    await asyncio.sleep(0)
    gate.set()
    found = await asyncio.gather(*asked)
    assert [len(state.notes) for state in found] == [3, 7, 5, 7, 10, 2]
    assert (await cache.get(b"run", Counted, 10, read, lambda: True)).notes == [str(n) for n in range(10)]
    assert reads[-1] == (10, 10)


async def test_nothing_half_done_is_kept() -> None:
    cache = StateCache(most_bytes=1 << 20)

    class Once(State):
        seen: int = 0

        @on
        def nudged(self, event: Nudged) -> None:
            self.seen += 1
            if event.note == "bad" and not forgiven:
                raise ValueError

    forgiven: list[bool] = []
    events = [Nudged(note="good"), Nudged(note="good"), Nudged(note="bad")]

    async def read(begin: int, end: int) -> tuple[Sequence[Event], int]:
        return events[begin:end], 100

    assert (await cache.get(b"run", Once, 1, read, lambda: True)).seen == 1
    with pytest.raises(Exception, match=r"Once\.nudged failed"):
        await cache.get(b"run", Once, 3, read, lambda: True)
    assert cache.bytes == 0
    forgiven.append(True)
    assert (await cache.get(b"run", Once, 3, read, lambda: True)).seen == 3


async def test_a_run_that_was_closed_meanwhile_leaves_nothing() -> None:
    cache = StateCache(most_bytes=1 << 20)

    async def read(begin: int, end: int) -> tuple[Sequence[Event], int]:
        cache.forget(b"run")
        return [Nudged(note="x")], 100

    assert (await cache.get(b"run", Counted, 1, read, lambda: False)).notes == ["x"]
    assert cache.bytes == 0


async def test_what_states_cost_follows_their_growth() -> None:
    cache = StateCache(most_bytes=1 << 20)

    async def read(begin: int, end: int) -> tuple[Sequence[Event], int]:
        return [Nudged(note="x" * 1000 + str(n)) for n in range(begin, end)], (end - begin) * 1000

    for end in range(1, 400):
        state = await cache.get(b"run", Counted, end, read, lambda: True)
        assert size_of_state(state) / 2 < cache.bytes < size_of_state(state) * 3 + (20 << 10)
    cache.forget(b"run")
    assert cache.bytes == 0


def test_the_size_of_a_state_grows_with_what_it_holds() -> None:
    small, large = Counted(), Counted(notes=["x" * 100] * 1 + ["y" * 1000 + str(n) for n in range(100)])
    assert size_of_state(small) < 3000
    assert 100_000 < size_of_state(large) < 150_000
