"""What compensates comes and goes with releases; what is to be undone waits for one that can, or says that none does."""

import pytest
from tests.reactors.working.controls import Begun, Stage, Went, virtual

from farandole.reactors import Choreography
from farandole.schemas.envelope import Kind


def a_release(undone: list[int] | None, version: str = "") -> Choreography:
    """A release that can undo what it does, if it is told where to note that."""
    dance = Choreography("dance", version=version)

    async def undo(went: Went) -> None:
        assert undone is not None
        undone.append(went.n)

    @dance.reactor(compensate=None if undone is None else undo)
    async def go(begun: Begun) -> Went:
        return Went(n=7)

    @dance.reactor
    async def stay(went: Went) -> None: ...

    return dance


@virtual
async def test_a_former_release_leaves_undoing_to_the_one_whose_contract_is_in_force() -> None:
    undone: list[int] = []
    former, newer = a_release(None), a_release(undone)
    async with Stage() as stage:
        await (await stage.worker(former)).stop()
        first = await stage.worker(newer)
        client = await stage.client(newer)
        run = await client.start(Begun())
        await stage.folded(newer, lambda log: len(log.steps) == 2)
        await first.stop()
        old = await stage.worker(former)
        await run.cancel()
        status = await run.status()
        assert [(s.reactor, s.generation, s.parked) for s in status.owed] == [("go", "undo", "")]
        assert not old.worker.dispatcher.held
        await old.stop()
        await stage.worker(newer)
        await stage.folded(newer, lambda log: not log.open)
        assert undone == [7]


@virtual
async def test_what_no_release_can_undo_any_more_parks_and_says_so() -> None:
    undone: list[int] = []
    former, newer = a_release(undone), a_release(None, "2")
    async with Stage() as stage:
        first = await stage.worker(former)
        client = await stage.client(newer)
        run = await client.start(Begun())
        await stage.folded(former, lambda log: len(log.steps) == 2)
        await first.stop()
        await stage.worker(newer)
        await run.cancel()
        log = await stage.folded(newer, lambda log: log.of(Kind.FAILURE))
        ((record, out),) = log.of(Kind.FAILURE)
        assert out.run is not None
        assert out.run.parked == 1
        assert "its compensation is gone" in client.failure(record)["message"]
        await run.cancel("leave it")
        assert (await run.status()).status == "cancelled"
        assert undone == []


@pytest.mark.parametrize("memory", [64 << 20, 0])
@virtual
async def test_what_is_undone_is_read_again_where_memory_has_no_room(memory: int) -> None:
    undone: list[int] = []
    dance = a_release(undone)
    async with Stage() as stage:
        await stage.worker(dance, memory=memory)
        client = await stage.client(dance)
        runs = [await client.start(Begun()) for _ in range(10)]
        await stage.folded(dance, lambda log: len(log.steps) == 20)
        for run in runs:
            await run.cancel()
        await stage.folded(dance, lambda log: not log.open)
        assert undone == [7] * 10
