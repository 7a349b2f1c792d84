"""A reactor belongs to one service in all partitions; a service that is refused has changed nothing."""

import asyncio
import json
from collections.abc import Mapping
from random import Random

import pytest
from tests.reactors.working.controls import Assigned, Begun, Breakable, Done, Folded, Stage, Went, virtual

from farandole.eventstore import Table
from farandole.reactors import Choreography
from farandole.reactors.claims import CLAIM, SERVED, Claims, claimed
from farandole.reactors.errors import ServedElsewhere
from farandole.reactors.retire import retire
from farandole.schemas.envelope import Kind

PARTITIONS = 4


def dance(service: str, done: list[str] | None = None) -> Choreography:
    choreography = Choreography("dance", service=service)

    @choreography.reactor
    async def end(begun: Begun) -> Done:
        if done is not None:
            done.append(service)
        return Done()

    return choreography


def services(log: Folded) -> set[str | None]:
    """Who serves the reactor, over all partitions; None: nobody."""
    found = [fold.contracts.get(b"end") for fold in log.folds]
    return {None if c is None else c.service for c in found}


async def interrupted(stage: Stage) -> None:
    """Service ``one`` came to publish in two of the partitions, and was killed."""
    one = await stage.worker(dance("one"), owns=Assigned(0, 1))
    await stage.folded(dance("one"), lambda log: len(log.of(Kind.CONTRACT)) == 2)
    await one.kill()


async def unclaimed(stage: Stage) -> None:
    """As a log was before reactors were noted in the catalogue."""
    store = await stage.store("dance")
    await store.catalogue.put(SERVED + b"end", None)


async def refused(stage: Stage, choreography: Choreography, owns: Assigned | None = None) -> str:
    with pytest.raises(ServedElsewhere) as error:
        await (await stage.worker(choreography, owns=owns, wait=False)).task
    return str(error.value)


@virtual
async def test_contracts_in_a_few_partitions_are_enough_to_refuse_another_service_in_all() -> None:
    async with Stage(partitions=PARTITIONS) as stage:
        await interrupted(stage)
        await unclaimed(stage)
        client = await stage.client(dance("one"))
        for n in range(8):
            await client.start(Begun(n=n))
        before = await stage.fold(dance("one"))
        done: list[str] = []
        assert "'end' is served by service 'one'" in await refused(stage, dance("two", done))
        await asyncio.sleep(60)
        after = await stage.fold(dance("one"))
        assert len(after.records) == len(before.records)
        assert not done
        assert claimed(await (await stage.store("dance")).catalogue.load()) == {}


@virtual
async def test_a_process_that_owns_none_of_those_partitions_is_refused_by_the_catalogue() -> None:
    async with Stage(partitions=PARTITIONS) as stage:
        await interrupted(stage)
        assert "'end' is served by service 'one'" in await refused(stage, dance("two"), owns=Assigned(2, 3))
        assert services(await stage.fold(dance("one"))) == {"one", None}


@virtual
async def test_the_service_that_was_interrupted_publishes_the_rest_when_it_comes_back() -> None:
    async with Stage(partitions=PARTITIONS) as stage:
        await interrupted(stage)
        await stage.worker(dance("one"))
        await stage.folded(dance("one"), lambda log: services(log) == {"one"})


@virtual
async def test_two_services_that_begin_at_once_do_not_split_a_reactor() -> None:
    for _ in range(10):
        async with Stage(partitions=PARTITIONS) as stage:
            workers = [
                await stage.worker(dance(service), owns=Assigned(*owned), wait=False)
                for service, owned in (("one", (0, 1)), ("two", (2, 3)), ("one", (2, 3)), ("two", (0, 1)))
            ]
            await asyncio.sleep(60)
            failed = [w.task.done() and isinstance(w.task.exception(), ServedElsewhere) for w in workers]
            assert failed in ([True, False, True, False], [False, True, False, True])
            assert services(await stage.fold(dance("one"))) == {"one" if failed[1] else "two"}


class Slow(Table):
    """A catalogue whose answers take their time, whatever they say being true when they leave."""

    def __init__(self, inner: Table, random: Random) -> None:
        self._inner = inner
        self._random = random

    async def put(self, key: bytes, value: bytes | None) -> None:
        await asyncio.sleep(self._random.random())
        await self._inner.put(key, value)
        await asyncio.sleep(self._random.random())

    async def load(self) -> Mapping[bytes, bytes]:
        await asyncio.sleep(self._random.random())
        found = await self._inner.load()
        await asyncio.sleep(self._random.random())
        return found

    async def scan(self, prefix: bytes) -> Mapping[bytes, bytes]:
        raise NotImplementedError


@virtual
async def test_of_services_that_claim_a_reactor_at_once_one_gets_it() -> None:
    for seed in range(300):
        random = Random(seed)
        async with Stage() as stage:
            store = await stage.store("dance")
            slow = Breakable(store)
            slow.table = Slow(store.catalogue, random)

            async def claim(service: str, slow: Breakable = slow, random: Random = random) -> tuple[str, bool]:
                await asyncio.sleep(random.random())
                mine = Claims(slow, service, lambda: random.randbytes(16), random.random)
                return service, not await mine.claim(["end"], take_over=False)

            got = await asyncio.gather(*(claim(service) for service in ("one", "two", "one", "three")))
            left = await store.catalogue.load()
            assert len({service for service, mine in got if mine}) == 1, seed
            assert {mine for service, mine in got if service == claimed(left)["end"]} == {True}
            assert not any(key.startswith(CLAIM) for key in left)


@virtual
async def test_a_claim_that_a_dead_process_left_behind_lapses() -> None:
    async with Stage(partitions=PARTITIONS) as stage:
        store = await stage.store("dance")
        claim = {"service": "one", "at": await store.now(), "reactors": ["end"]}
        await store.catalogue.put(CLAIM + b"1", json.dumps(claim).encode())
        two = await stage.worker(dance("two"), wait=False)
        await asyncio.sleep(30)
        assert not (await stage.fold(dance("two"))).of(Kind.CONTRACT, None)
        await two.ready()
        await stage.folded(dance("two"), lambda log: services(log) == {"two"})


@virtual
async def test_what_is_not_to_be_read_in_the_catalogue_keeps_nobody_from_working() -> None:
    async with Stage(partitions=PARTITIONS) as stage:
        store = await stage.store("dance")
        for key, value in {
            CLAIM + b"1": b"\xff",
            CLAIM + b"2": b"[]",
            SERVED + b"end": b"7",
            SERVED + b"\xff": b"{",
        }.items():
            await store.catalogue.put(key, value)
        await stage.worker(dance("two"))
        await stage.folded(dance("two"), lambda log: services(log) == {"two"})


@virtual
async def test_taking_over_moves_a_reactor_that_is_split_or_only_half_published() -> None:
    async with Stage(partitions=PARTITIONS) as stage:
        await interrupted(stage)
        two = await stage.worker(dance("two"), take_over=True)
        await stage.folded(dance("two"), lambda log: services(log) == {"two"})
        await two.stop()
        assert "'end' is served by service 'two'" in await refused(stage, dance("one"), owns=Assigned(2))


@virtual
async def test_a_retired_reactor_is_nobodys() -> None:
    async with Stage(partitions=PARTITIONS) as stage:
        one = await stage.worker(dance("one"))
        await stage.folded(dance("one"), lambda log: services(log) == {"one"})
        await one.stop()
        client = await stage.client(dance("one"))
        await retire(client, "end", drop=False)
        await stage.worker(dance("one"))
        await asyncio.sleep(10)
        await stage.worker(dance("two"))
        await stage.folded(dance("two"), lambda log: services(log) == {"two"})


@virtual
async def test_a_worker_that_is_given_nothing_at_first_stands_by() -> None:
    async with Stage(partitions=PARTITIONS) as stage:
        await stage.worker(dance("one"))
        owns = Assigned()
        idle = await stage.worker(dance("one"), owns=owns)
        assert not idle.task.done()
        owns.give(3)
        await asyncio.sleep(10)
        assert idle.worker.ready


@virtual
async def test_services_of_other_reactors_are_not_in_each_others_way() -> None:
    other = Choreography("dance", service="two")

    @other.reactor
    async def note(went: Went) -> None: ...

    async with Stage(partitions=PARTITIONS) as stage:
        await asyncio.gather(stage.worker(dance("one")), stage.worker(other))
        store = await stage.store("dance")
        assert claimed(await store.catalogue.load()) == {"end": "one", "note": "two"}
