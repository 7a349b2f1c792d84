"""Child runs on each store, in two choreographies, with workers that are killed."""

import asyncio
import secrets

import pytest
from tests.reactors.working.controls import Stage

from farandole.eventstore import SystemClock
from farandole.projections.fold import Verdict
from farandole.reactors import Child, ChildDone, ChildFailed, Choreography, GiveUp, Run
from farandole.schemas import End, Event, Start
from farandole.schemas.envelope import Kind

pytestmark = pytest.mark.timeout(180)


class Ordered(Start):
    n: int


class Cooking(Start):
    n: int
    k: int


class Cooked(End):
    n: int
    k: int


class Heard(Event):
    n: int


class Served(End):
    n: int
    failed: int


def a_pair() -> tuple[Choreography, Choreography]:
    """A choreography whose runs each start three of another one, of which every fifth fails."""
    name = secrets.token_hex(4)
    orders, kitchen = Choreography(f"orders_{name}"), Choreography(f"kitchen_{name}")

    @orders.reactor
    async def order(ordered: Ordered) -> tuple[Child[Cooking], Child[Cooking], Child[Cooking]]:
        one, two, three = (Child(Cooking(n=ordered.n, k=k), choreography=kitchen.name) for k in range(3))
        return one, two, three

    @orders.reactor
    async def hear(done: ChildDone[Cooked]) -> Heard:
        return Heard(n=1)

    @orders.reactor
    async def regret(failed: ChildFailed[Cooking]) -> Heard:
        return Heard(n=0)

    @orders.reactor
    async def serve(heard: Heard, run: Run[Ordered]) -> Served | None:
        found = await run.events(Heard)
        return Served(n=run.start.n, failed=sum(not event.n for event in found)) if len(found) == 3 else None

    @kitchen.reactor
    async def cook(cooking: Cooking) -> Cooked:
        if (cooking.n + cooking.k) % 5 == 0:
            raise GiveUp("burnt")
        return Cooked(n=cooking.n, k=cooking.k)

    return orders, kitchen


def failing(n: int) -> int:
    return sum((n + k) % 5 == 0 for k in range(3))


async def test_children_of_another_choreography_survive_workers_that_are_killed(url: str) -> None:
    orders, kitchen = a_pair()
    async with Stage(url, partitions=2, clock=SystemClock()) as stage:
        client = await stage.client(orders)
        first = await stage.worker(orders)
        runs = [await client.start(Ordered(n=n)) for n in range(20)]
        await first.kill()  # between a child's birth and its start, for some
        second = await stage.worker(kitchen)
        third = await stage.worker(orders)
        await stage.folded(kitchen, lambda log: len(log.of(Kind.START)) >= 10)
        await second.kill()  # between a child's end and the news of it, for some
        await third.kill()
        await stage.worker(orders)
        await stage.worker(kitchen)
        ends = await asyncio.gather(*(run.result(Served, timeout="90s") for run in runs))
        assert [(end.n, end.failed) for end in ends] == [(n, failing(n)) for n in range(20)]
        log = await stage.folded(orders, lambda log: not log.open)
        assert log.once_each()
        news = [*log.of(Kind.CHILD_ENDED), *log.of(Kind.CHILD_FAILED)]
        assert len(news) == 60
        there = await stage.fold(kitchen)
        started = there.of(Kind.START)
        assert len(started) == 60, "each child was started once"
        assert {verdict for _, out in there.of(Kind.START, None) for verdict in [out.verdict]} <= {
            Verdict.ADMITTED,
            Verdict.RUN_EXISTS,
            Verdict.RUN_REMEMBERED,
        }


async def test_a_cancel_goes_down_to_another_choreography(url: str) -> None:
    name = secrets.token_hex(4)
    orders, kitchen = Choreography(f"orders_{name}"), Choreography(f"kitchen_{name}")

    @orders.reactor
    async def order(ordered: Ordered) -> Child[Cooking]:
        return Child(Cooking(n=1, k=1), choreography=kitchen.name, run_id="dish")

    @kitchen.reactor
    async def simmer(cooking: Cooking) -> None: ...

    async with Stage(url, partitions=2, clock=SystemClock()) as stage:
        await stage.worker(orders)
        await stage.worker(kitchen)
        run = await (await stage.client(orders)).start(Ordered(n=1))
        await stage.folded(kitchen, lambda log: log.open == ["dish"])
        await run.cancel()
        log = await stage.folded(kitchen, lambda log: not log.open)
        assert len(log.of(Kind.CANCEL)) == 1
        await stage.folded(orders, lambda log: not log.open)
