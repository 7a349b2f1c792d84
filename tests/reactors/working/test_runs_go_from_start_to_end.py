"""A run goes from its start to its end, each step once in the history."""

from typing import Any

import pytest
from tests.reactors.working.controls import Begun, Done, Met, Stage, Stopped, Went, a_stage, virtual

from farandole.projections.fold import Verdict
from farandole.reactors import Choreography, Failed, GiveUp, Retry, Run, Step
from farandole.schemas import Signal
from farandole.schemas.envelope import Kind


def chain() -> Choreography:
    dance = Choreography("dance")

    @dance.reactor
    async def go(begun: Begun) -> Went:
        return Went(n=begun.n + 1)

    @dance.reactor
    def meet(went: Went) -> Met:
        return Met(n=went.n + 1)

    @dance.reactor
    async def end(met: Met) -> Done:
        return Done(n=met.n + 1)

    return dance


@virtual
async def test_each_step_is_done_once_and_the_run_is_closed() -> None:
    async with a_stage(chain()) as (stage, client, _):
        run = await client.start(Begun(n=1))
        assert await run.result(Done) == Done(n=4)
        log = await stage.folded(chain(), lambda log: not log.open)
        assert [(s.reactor, s.gave) for s in log.steps] == [("go", ("Went",)), ("meet", ("Met",)), ("end", ("Done",))]


@virtual
async def test_many_runs_over_many_partitions_all_end() -> None:
    async with a_stage(chain(), partitions=4) as (stage, client, at_work):
        runs = [await client.start(Begun(n=n)) for n in range(200)]
        assert [(await run.result(Done)).n for run in runs] == [n + 3 for n in range(200)]
        log = await stage.folded(chain(), lambda log: not log.open)
        assert len(log.steps) == 600
        assert log.once_each()
        assert at_work.worker.dispatcher.held == 0
        assert at_work.worker.dispatcher.bytes == 0


@virtual
async def test_an_outcome_may_be_several_events_or_none_or_one_of_a_union() -> None:
    dance = Choreography("dance")

    @dance.reactor
    async def both(begun: Begun) -> tuple[Went, Met]:
        return Went(n=1), Met(n=2)

    @dance.reactor
    async def nothing(begun: Begun) -> None: ...

    @dance.reactor
    async def either(event: Went | Met) -> Done | Stopped | None:
        return Done(n=event.n) if isinstance(event, Met) else None

    async with a_stage(dance) as (stage, client, _):
        run = await client.start(Begun())
        assert await run.result() == Done(n=2)
        log = await stage.folded(dance, lambda log: not log.open)
        assert sorted(s.gave for s in log.steps) == [(), (), ("Done",), ("Went", "Met")]


@virtual
async def test_a_join_at_the_root_takes_the_nth_with_the_nth() -> None:
    dance = Choreography("dance")
    met: list[tuple[int, int]] = []

    @dance.reactor
    async def go(begun: Begun) -> tuple[Went, Went]:
        return Went(n=1), Went(n=2)

    @dance.reactor
    async def follow(went: Went) -> Met:
        return Met(n=went.n * 10)

    @dance.reactor(ordered=True)
    async def join(went: Went, other: Met) -> Done | None:
        met.append((went.n, other.n))
        return Done() if len(met) == 2 else None

    async with a_stage(dance) as (_, client, _w):
        run = await client.start(Begun())
        await run.result(Done)
        assert met == [(1, 10), (2, 20)]


@virtual
async def test_reactors_on_an_end_run_after_the_result_is_there() -> None:
    dance = Choreography("dance")
    thanked: list[int] = []

    @dance.reactor
    async def end(begun: Begun) -> Done:
        return Done(n=begun.n)

    @dance.reactor
    async def thank(done: Done) -> None:
        thanked.append(done.n)

    async with a_stage(dance) as (stage, client, _):
        run = await client.start(Begun(n=7))
        await run.result(Done)
        await stage.folded(dance, lambda log: not log.open)
        assert thanked == [7]


@pytest.mark.parametrize("narrowed", [False, True])
@virtual
async def test_who_takes_failed_is_told_of_the_final_failure(narrowed: bool) -> None:
    dance = Choreography("dance")
    told: list[Failed[Any]] = []

    @dance.reactor(retry=Retry(attempts=2, first="1s"))
    async def fail(begun: Begun) -> Went:
        raise ValueError("no way")

    if narrowed:

        @dance.reactor(of=fail)
        async def catch(failed: Failed[Begun]) -> Stopped:
            told.append(failed)
            return Stopped(why=failed.error)

    else:

        @dance.reactor
        async def catch_any(failed: Failed) -> Stopped:
            told.append(failed)
            return Stopped(why=failed.error)

    async with a_stage(dance) as (stage, client, _):
        run = await client.start(Begun(n=3))
        assert await run.result(Stopped) == Stopped(why="no way")
        (failed,) = told
        assert (failed.event, failed.reactor, failed.error_type, failed.attempts) == (
            Begun(n=3),
            "fail",
            "ValueError",
            2,
        )
        assert 'raise ValueError("no way")' in failed.traceback
        await stage.folded(dance, lambda log: not log.open)


@virtual
async def test_a_failure_that_of_does_not_name_parks_its_step() -> None:
    dance = Choreography("dance")

    @dance.reactor
    async def fail(begun: Begun) -> Went:
        raise GiveUp("no")

    @dance.reactor(of="another")
    async def catch(failed: Failed) -> Stopped:
        return Stopped()

    async with a_stage(dance) as (_, client, _w):
        run = await client.start(Begun())
        while (await run.status()).status != "failed":
            await client.follower.progress()


@virtual
async def test_a_handler_is_given_its_step_and_the_run_up_to_its_trigger() -> None:
    dance = Choreography("dance")
    seen: list[tuple[str, int, str, int, list[Any], list[Any]]] = []

    @dance.reactor
    async def go(begun: Begun) -> tuple[Went, Met]:
        return Went(n=1), Met(n=2)

    @dance.reactor
    async def look(went: Went, step: Step, run: Run[Begun]) -> None:
        seen.append((step.key, step.attempt, run.id, run.start.n, await run.events(Went), await run.events()))

    @dance.reactor
    async def end(met: Met, run: Run[Begun]) -> Done:
        return Done(n=len(await run.events(Begun, Went, Met)))

    async with a_stage(dance) as (stage, client, _):
        run = await client.start(Begun(n=9), run_id="run-1")
        assert await run.result(Done) == Done(n=3)
        await stage.folded(dance, lambda log: not log.open)
        ((key, attempt, run_id, n, went, everything),) = seen
        assert len(key) == 32
        assert (attempt, run_id, n, went) == (1, "run-1", 9, [Went(n=1)])
        assert everything == [Begun(n=9), Went(n=1)]


@virtual
async def test_a_signal_that_no_signature_names_can_be_sent_and_looked_up() -> None:
    dance = Choreography("dance")

    @dance.reactor
    async def go(begun: Begun) -> Went | None:
        return None

    @dance.reactor
    async def end(stop: Stopped) -> None: ...

    class Whispered(Signal):
        word: str

    class Asked(Signal): ...

    @dance.reactor
    async def answer(asked: Asked, run: Run[Begun]) -> Done:
        return Done(n=len(await run.events(Whispered)))

    async with a_stage(dance) as (_stage, client, at_work):
        run = await client.start(Begun())
        await run.send(Whispered(word="hush"))
        await run.send(Asked())
        assert await run.result(Done) == Done(n=1)
        assert [r.name async for r in run.events()] == ["dance.Begun", "dance.Whispered", "dance.Asked", "dance.Done"]
        catalogue = await at_work.store.catalogue.load()
        assert any(key.startswith(b"schema/dance.Whispered/") for key in catalogue)


@virtual
async def test_two_services_cross_one_run() -> None:
    first, second = Choreography("dance", service="first"), Choreography("dance", service="second")

    @first.reactor
    async def go(begun: Begun) -> Went:
        return Went(n=1)

    @first.reactor
    async def end(went: Went, met: Met) -> Done:
        return Done(n=went.n + met.n)

    @second.reactor
    async def meet(went: Went) -> Met:
        return Met(n=10)

    async with Stage(partitions=2) as stage:
        await stage.worker(first)
        await stage.worker(second)
        client = await stage.client(first)
        runs = [await client.start(Begun()) for _ in range(10)]
        assert [await run.result(Done) for run in runs] == [Done(n=11)] * 10
        log = await stage.folded(first, lambda log: not log.open)
        assert log.once_each()
        assert {unpacked.envelope.source for _, unpacked in log.of(Kind.OUTCOME) if unpacked.envelope} == {
            b"/dance/first",
            b"/dance/second",
        }
        assert log.verdicts[Verdict.NOT_OWED.name] == 0
