"""Starting the same run twice makes one run, and whoever asks learns whether it was theirs."""

import asyncio

import pytest
from tests.reactors.working.controls import Begun, Breakable, Done, Nudged, Stage, Went, a_stage, virtual

from farandole.eventstore import AppendUnknown
from farandole.reactors import Choreography
from farandole.reactors.errors import UnknownStart
from farandole.schemas import DeclarationError, Event, IncompatibleSchema, Start


def dance() -> Choreography:
    choreography = Choreography("dance")

    @choreography.reactor
    async def end(begun: Begun) -> Done:
        return Done(n=begun.n)

    return choreography


@virtual
async def test_a_new_run_was_created() -> None:
    async with a_stage(dance()) as (_, client, _w):
        run = await client.start(Begun())
        assert await run.created
        assert len(run.id) == 32


@virtual
async def test_a_run_that_is_open_is_not_created_again() -> None:
    async with Stage() as stage:
        client = await stage.client(dance())
        first = await client.start(Begun(n=1), run_id="one")
        second = await client.start(Begun(n=2), run_id="one")
        assert (await first.created, await second.created) == (True, False)
        await stage.worker(dance())
        assert await second.result(Done) == Done(n=1)


@virtual
async def test_a_run_that_is_remembered_as_closed_is_not_created_again() -> None:
    async with a_stage(dance()) as (stage, client, _):
        first = await client.start(Begun(n=1), run_id="one")
        await first.result(Done)
        await stage.folded(dance(), lambda log: not log.open)
        again = await client.start(Begun(n=2), run_id="one")
        assert not await again.created
        assert await again.result(Done) == Done(n=1)
        other = await stage.client(dance())
        late = await other.start(Begun(n=3), run_id="one")
        assert not await late.created
        assert await late.result(Done) == Done(n=1)


@virtual
async def test_a_client_that_follows_already_tells_a_remembered_run_too() -> None:
    async with a_stage(dance()) as (stage, client, _):
        await (await client.start(Begun(), run_id="one")).result(Done)
        await stage.folded(dance(), lambda log: not log.open)
        other = await stage.client(dance())
        await (await other.start(Begun(), run_id="two")).result(Done)
        late = await other.start(Begun(n=3), run_id="one")
        assert not await late.created
        assert await late.result(Done) == Done(n=0)


@virtual
async def test_a_run_that_was_forgotten_is_created_anew() -> None:
    async with Stage() as stage:
        await stage.make(dance(), {"dedup_window": 60_000})
        await stage.worker(dance())
        client = await stage.client(dance())
        first = await client.start(Begun(n=1), run_id="one")
        await first.result(Done)
        await asyncio.sleep(600)
        await (await client.start(Begun())).result(Done)
        again = await client.start(Begun(n=2), run_id="one")
        assert await again.created
        assert await again.result(Done) == Done(n=2)


@virtual
async def test_of_two_clients_at_once_one_creates_it() -> None:
    async with a_stage(dance()) as (stage, client, _):
        other = await stage.client(dance())
        runs = await asyncio.gather(*(c.start(Begun(), run_id="one") for c in (client, other) for _ in range(5)))
        assert sorted([await run.created for run in runs]) == [False] * 9 + [True]


@virtual
async def test_a_start_whose_acknowledgement_was_lost_is_still_one_run_and_created() -> None:
    async with a_stage(dance()) as (_stage, client, _):
        assert isinstance(client.store, Breakable)
        client.store.doubt = 3
        run = await client.start(Begun())
        assert await run.created
        await run.result(Done)


@virtual
async def test_a_start_that_cannot_be_acknowledged_is_given_up_after_half_a_minute() -> None:
    async with a_stage(dance()) as (_stage, client, _):
        assert isinstance(client.store, Breakable)
        client.store.doubt = 10_000
        began = asyncio.get_running_loop().time()
        with pytest.raises(AppendUnknown):
            await client.start(Begun())
        assert asyncio.get_running_loop().time() - began == pytest.approx(30, abs=2)


@virtual
async def test_a_start_that_comes_too_late_starts_nothing() -> None:
    async with a_stage(dance()) as (_stage, client, _):
        assert isinstance(client.store, Breakable)
        client.store.gate.clear()
        starting = asyncio.ensure_future(client.start(Begun(), within="5s"))
        await asyncio.sleep(10)
        client.store.gate.set()
        run = await starting
        assert not await run.created
        assert (await run.status()).status == "absent"


@pytest.mark.parametrize("run_id", ["", "x" * 256, "é" * 128])
@virtual
async def test_a_run_id_has_1_to_255_bytes(run_id: str) -> None:
    async with a_stage(dance()) as (_, client, _w):
        with pytest.raises(ValueError, match="1 to 255 bytes"):
            await client.start(Begun(), run_id=run_id)
        await client.start(Begun(), run_id="x" * 255)


@virtual
async def test_only_a_start_starts() -> None:
    async with a_stage(dance()) as (_, client, _w):
        with pytest.raises(TypeError, match="takes a Start; Nudged is of another kind"):
            await client.start(Nudged())  # type: ignore[arg-type]


class Renamed(Start, name="Opened"): ...


@virtual
async def test_runs_are_listed_by_the_start_as_a_program_calls_it() -> None:
    both = dance()
    both.know(Renamed)
    async with a_stage(both) as (stage, client, _):
        await client.start(Begun(), run_id="one")
        await client.start(Renamed(), run_id="two")
        of_it: list[type[Start] | str] = [Renamed, "Renamed", "Opened", "dance.Opened"]
        for said in of_it:
            assert [run.id for run in (await client.runs(type=said)).runs] == ["two"]
        stranger = await stage.client(Choreography("dance"))
        assert [run.id for run in (await stranger.runs(type="Opened")).runs] == ["two"]


@virtual
async def test_runs_of_a_start_that_nobody_knows() -> None:
    async with a_stage(dance()) as (_, client, _w):
        await client.start(Begun())
        with pytest.raises(UnknownStart, match="choreography 'dance' has no start 'Begnu'; did you mean Begun"):
            await client.runs(type="Begnu")
        with pytest.raises(TypeError, match="Done is of another kind, and opens none"):
            await client.runs(type="Done")
        with pytest.raises(TypeError, match="Nudged is of another kind"):
            await client.runs(type=Nudged)  # type: ignore[arg-type]
        assert (await client.runs(type=Renamed)).runs == ()


@virtual
async def test_a_start_that_no_signature_names_is_learned_when_it_is_used() -> None:
    bare = Choreography("dance")
    async with a_stage(dance()) as (stage, _, _w):
        client = await stage.client(bare)
        run = await client.start(Begun(n=5))
        assert await run.result(Done) == Done(n=5)
        assert any(key.startswith(b"schema/dance.Begun/") for key in await client.store.catalogue.load())


@virtual
async def test_a_late_type_must_fit_its_recorded_schema_and_no_other_name() -> None:
    class Begun(Start):  # another class of the same name
        n: str

    class Other(Event, name="Done"): ...

    async with a_stage(dance()) as (stage, client, _):
        with pytest.raises(DeclarationError, match="two events are named 'Begun'"):
            await client.start(Begun(n="x"))
        bare = await stage.client(Choreography("dance"))
        with pytest.raises(IncompatibleSchema):
            await bare.start(Begun(n="x"))
        with pytest.raises(IncompatibleSchema):  # and it was not half learned
            await bare.start(Begun(n="x"))
        assert Went not in bare.scribe.types
