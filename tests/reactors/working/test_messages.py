"""Messages to other partitions: sent until they are known to be judged, whoever is killed and whatever is lost."""

from collections.abc import Callable, Sequence

import pytest
from tests.reactors.working.controls import Begun, Done, Nudged, Stage, Went, eventually, virtual

from farandole.eventstore import Record, TooLarge
from farandole.projections.fold import Verdict
from farandole.reactors import Child, ChildDone, ChildFailed, Choreography
from farandole.schemas import End, Event, Start
from farandole.schemas.envelope import Kind


class Errand(Start):
    n: int = 0


class Heard(Event):
    said: str


class ErrandDone(End):
    text: str = ""


def family(answer: Callable[[], ErrandDone | None] = ErrandDone) -> Choreography:
    """A run of it starts one other, which ends with what it is told to."""
    choreography = Choreography("family")

    @choreography.reactor
    async def go(begun: Begun) -> Child[Errand]:
        return Child(Errand(n=begun.n))

    @choreography.reactor
    async def run_errand(errand: Errand) -> ErrandDone | None:
        return answer()

    @choreography.reactor
    async def nudge(nudged: Nudged) -> ErrandDone:
        return ErrandDone()

    @choreography.reactor
    async def hear(done: ChildDone[ErrandDone]) -> Done:
        return Done(n=1)

    @choreography.reactor
    async def miss(failed: ChildFailed[Errand]) -> Done:
        return Done(n=2 if "larger than the log" in failed.error else 3)

    return choreography


@virtual
async def test_all_is_delivered_and_nothing_is_left() -> None:
    async with Stage(partitions=4) as stage:
        await stage.worker(family())
        client = await stage.client(family())
        for n in range(10):
            run = await client.start(Begun(n=n))
            assert await run.result(Done) == Done(n=1)
        log = await stage.folded(family(), lambda log: not log.open)
        assert len(log.of(Kind.START)) == 20
        assert len(log.of(Kind.CHILD_ENDED)) == 10


@virtual
async def test_a_start_whose_word_is_lost_is_sent_again_and_acknowledged_again() -> None:
    async with Stage(partitions=1) as stage:
        first = await stage.worker(family(lambda: None))
        client = await stage.client(family())
        run = await client.start(Begun())
        await stage.folded(family(), lambda log: len(log.of(Kind.START)) == 2)
        await first.kill()
        second = await stage.worker(family(lambda: None))
        log = await stage.folded(family(), lambda log: log.of(Kind.DELIVERED))
        assert len(log.of(Kind.START)) == 2, "a copy of the start opens nothing"
        (child,) = await run.children()
        await client.run(child.run_id).send(Nudged())
        assert await run.result(Done) == Done(n=1)
        await stage.folded(family(), lambda log: not log.open)
        await second.stop()


@virtual
async def test_an_end_that_is_told_while_nobody_keeps_the_parent_is_told_later() -> None:
    async with Stage(partitions=1) as stage:
        worker = await stage.worker(family(lambda: None))
        client = await stage.client(family())
        run = await client.start(Begun())
        await stage.folded(family(), lambda log: len(log.of(Kind.START)) == 2)
        (child,) = await run.children()
        await worker.kill()
        await client.run(child.run_id).send(Nudged(), confirm=False)
        await stage.worker(family(lambda: None))
        assert await run.result(Done) == Done(n=1)
        log = await stage.folded(family(), lambda log: not log.open)
        assert len(log.of(Kind.CHILD_ENDED)) == 1


@virtual
async def test_a_run_that_is_cancelled_is_closed_once_its_children_know() -> None:
    async with Stage(partitions=2) as stage:
        await stage.worker(family(lambda: None))
        client = await stage.client(family())
        run = await client.start(Begun())
        await stage.folded(family(), lambda log: len(log.of(Kind.START)) == 2)
        await run.cancel()
        log = await stage.folded(family(), lambda log: not log.open)
        assert len(log.of(Kind.CANCEL)) == 2


@virtual
async def test_an_end_that_the_parents_log_does_not_take_is_told_as_a_failure() -> None:
    parents, children = Choreography("parents"), Choreography("children")

    @parents.reactor
    async def go(begun: Begun) -> Child[Errand]:
        return Child(Errand(), choreography="children")

    @parents.reactor
    async def hear(news: ChildDone[ErrandDone] | ChildFailed[Errand]) -> Done:
        return Done(n=2 if isinstance(news, ChildFailed) and "larger than the log" in news.error else 1)

    @children.reactor
    async def run_errand(errand: Errand) -> ErrandDone:
        return ErrandDone(text="x" * 5_000)

    async with Stage(partitions=1) as stage:
        await stage.worker(parents)
        there = await stage.worker(children)
        abroad = there.worker._abroad
        (await abroad.store("parents")).max_record_bytes = 3_000
        client = await stage.client(parents)
        run = await client.start(Begun())
        assert await run.result(Done) == Done(n=2)
        log = await stage.folded(children, lambda log: not log.open)
        assert len(log.of(Kind.DELIVERED)) == 1


@virtual
async def test_one_start_that_the_log_does_not_take_holds_up_no_other() -> None:
    parents, children = Choreography("parents"), Choreography("children")

    @parents.reactor
    async def go(begun: Begun) -> tuple[Child[Errand], Child[Errand]]:
        return Child(Errand(), choreography="children", run_id="ok"), Child(
            Errand(), choreography="children", run_id="k" * 250
        )

    @parents.reactor
    async def hear(news: ChildDone[ErrandDone] | ChildFailed[Errand]) -> Heard:
        return Heard(said="done" if isinstance(news, ChildDone) else news.error)

    @children.reactor
    async def run_errand(errand: Errand) -> ErrandDone:
        return ErrandDone()

    async with Stage(partitions=1) as stage:
        worker = await stage.worker(parents)
        await stage.worker(children)
        there = await worker.worker._abroad.store("children")
        append = there.append

        async def takes_less(partition: int, records: Sequence[Record]) -> int:
            if any(len(record.key or b"") > 200 for record in records):
                raise TooLarge("the broker takes less than it said")
            return await append(partition, records)

        there.append = takes_less  # type: ignore[method-assign]
        client = await stage.client(parents)
        run = await client.start(Begun())
        await stage.folded(parents, lambda log: sum(step.reactor == "hear" for step in log.steps) == 2)
        said = {recorded.event.said async for recorded in run.events(live=False) if isinstance(recorded.event, Heard)}
        assert said == {"done", "it is larger than the log of 'children' takes"}


@virtual
async def test_several_services_answer_in_turn() -> None:
    first, second = Choreography("family", service="a"), Choreography("family", service="b")

    @first.reactor
    async def go(begun: Begun) -> Child[Errand]:
        return Child(Errand())

    @second.reactor
    async def run_errand(errand: Errand) -> ErrandDone:
        return ErrandDone()

    @second.reactor
    async def hear(done: ChildDone[ErrandDone]) -> Done:
        return Done(n=1)

    async with Stage(partitions=1) as stage:
        one, two = await stage.worker(first), await stage.worker(second)
        client = await stage.client(first)
        run = await client.start(Begun())
        assert await run.result(Done) == Done(n=1)
        log = await stage.folded(first, lambda log: not log.open)
        assert {out.envelope.source for _, out in log.of(Kind.DELIVERED, None) if out.envelope} == {b"/family/a"}
        await one.kill()
        another = await client.start(Begun())
        await stage.worker(first, wait=True)
        assert await another.result(Done) == Done(n=1)
        await stage.folded(first, lambda log: not log.open)
        await two.stop()


@virtual
async def test_who_comes_after_others_sends_and_answers_in_their_stead() -> None:
    """Of two services only the second is there: it does all, a little later."""
    first, second = Choreography("family", service="a"), Choreography("family", service="b")

    @first.reactor
    async def sleep(went: Went) -> None: ...

    for reactor in family().reactors:
        second.reactor(name=reactor.name)(reactor.fn)
    async with Stage(partitions=1) as stage:
        await (await stage.worker(first)).kill()
        await stage.worker(second)
        client = await stage.client(second)
        run = await client.start(Begun())
        assert await run.result(Done, timeout="60s") == Done(n=1)
        log = await stage.folded(second, lambda log: not log.open)
        assert {verdict for _, out in log.of(Kind.DELIVERED, None) for verdict in [out.verdict]} == {Verdict.ADMITTED}


@virtual
async def test_an_unnamed_log_in_memory_says_why_it_reaches_nobody(caplog: pytest.LogCaptureFixture) -> None:
    lonely = Choreography("lonely")

    @lonely.reactor
    async def go(begun: Begun) -> Child[Errand]:
        return Child(Errand(), choreography="elsewhere")

    @lonely.reactor
    async def miss(failed: ChildFailed[Errand]) -> Done:
        return Done(n=len(failed.error))

    async with lonely.work("memory://") as client:
        run = await client.start(Begun())
        await eventually(lambda: "only if it has a name" in caplog.text)
        await run.cancel()
