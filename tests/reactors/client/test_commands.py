"""A command is taken or refused once, and whoever sent it is told which, and why."""

import asyncio

import pytest
from tests.reactors.working.controls import Begun, Breakable, Done, Nudged, Stopped, Went, a_stage, eventually, virtual

from farandole.projections.fold import Verdict
from farandole.reactors import Choreography, Retry
from farandole.reactors.errors import CommandRefused
from farandole.schemas.envelope import Kind


class Dance(Choreography):
    """Waits for nudges, and ends at the one that says so."""

    def __init__(self) -> None:
        super().__init__("dance")
        self.went: list[str] = []
        self.broken = False

        @self.reactor(retry=Retry(attempts=1))
        async def go(nudged: Nudged) -> Went | Done | None:
            self.went.append(nudged.note)
            if self.broken:
                raise OSError
            return Done() if nudged.note == "end" else Went()

        @self.reactor
        async def begin(begun: Begun) -> None: ...

        @self.reactor(retry=Retry(attempts=1))
        async def rest(went: Went) -> None:
            if self.broken:
                raise OSError


@virtual
async def test_a_signal_comes_into_an_open_run() -> None:
    dance = Dance()
    async with a_stage(dance) as (_, client, _w):
        run = await client.start(Begun())
        await run.send(Nudged(note="a"))
        await run.send(Nudged(note="b"), confirm=False)
        await run.send(Nudged(note="end"))
        await run.result(Done)
        assert dance.went == ["a", "b", "end"]


@virtual
async def test_a_signal_after_the_end_is_refused_with_the_reason() -> None:
    async with a_stage(Dance()) as (stage, client, _):
        run = await client.start(Begun())
        await run.send(Nudged(note="end"))
        await run.result(Done)
        await stage.folded(Dance(), lambda log: not log.open)
        with pytest.raises(CommandRefused, match="refused Nudged: there is no such open run") as refused:
            await run.send(Nudged())
        assert refused.value.verdict is Verdict.NO_RUN


@virtual
async def test_a_signal_into_a_run_that_is_ending_is_refused() -> None:
    dance = Choreography("dance")

    @dance.reactor
    async def go(nudged: Nudged) -> Done:
        return Done()

    @dance.reactor
    async def linger(done: Done) -> None:
        await asyncio.sleep(600)

    async with a_stage(dance) as (_, client, _w):
        run = await client.start(Begun())
        await run.send(Nudged())
        await run.result(Done)
        assert (await run.status()).status == "ending"
        with pytest.raises(CommandRefused, match="it has its result already"):
            await run.send(Nudged())


@virtual
async def test_a_signal_that_comes_too_late_never_acts() -> None:
    dance = Dance()
    async with a_stage(dance) as (_, client, _w):
        run = await client.start(Begun())
        await run.status()
        assert isinstance(client.store, Breakable)
        client.store.gate.clear()
        sending = asyncio.ensure_future(run.send(Nudged(), within="5s"))
        await asyncio.sleep(10)
        client.store.gate.set()
        with pytest.raises(CommandRefused, match="after the time within which it may act"):
            await sending
        assert dance.went == []


@virtual
async def test_a_signal_whose_acknowledgement_was_lost_acts_once() -> None:
    dance = Dance()
    async with a_stage(dance) as (_, client, _w):
        run = await client.start(Begun())
        await run.status()
        assert isinstance(client.store, Breakable)
        client.store.doubt = 2
        await run.send(Nudged())
        await run.send(Nudged(note="end"))
        await run.result(Done)
        assert dance.went == ["", "end"]


@virtual
async def test_only_signals_are_sent() -> None:
    async with a_stage(Dance()) as (_, client, _w):
        run = await client.start(Begun())
        with pytest.raises(TypeError, match=r"takes a Signal; Went is an event that only reactors emit"):
            await run.send(Went())  # type: ignore[arg-type]


@virtual
async def test_a_run_that_was_never_started_takes_nothing() -> None:
    async with a_stage(Dance()) as (_, client, _w):
        run = client.run("nobody")
        for command in (run.send(Nudged()), run.cancel(), run.pause(), run.resume()):
            with pytest.raises(CommandRefused, match="never started, or it is closed"):
                await command
        with pytest.raises(CommandRefused, match="no step is parked"):
            await run.retry()


@virtual
async def test_cancelling_twice_is_refused_and_changes_nothing() -> None:
    async with a_stage(Dance()) as (stage, client, _):
        run = await client.start(Begun())
        await run.cancel("first")
        with pytest.raises(CommandRefused):
            await run.cancel("second")
        assert (await run.status()).status == "cancelled"
        assert len((await stage.fold(Dance())).of(Kind.CANCEL)) == 1


@virtual
async def test_cancelling_drops_what_is_owed_and_cancels_the_handler() -> None:
    dance = Choreography("dance")
    ended: list[int] = []

    @dance.reactor
    async def go(begun: Begun) -> Done:
        try:
            await asyncio.sleep(100)
        finally:
            ended.append(1)
        return Done()

    async with a_stage(dance) as (stage, client, worker):
        run = await client.start(Begun())
        await eventually(lambda: worker.worker.dispatcher.running("go"))
        await run.cancel()
        assert (await run.status()).status == "cancelled"
        await eventually(lambda: worker.worker.dispatcher.held == 0)
        await eventually(lambda: ended)
        assert not (await stage.fold(dance)).of(Kind.OUTCOME, None)


@virtual
async def test_a_paused_run_begins_nothing_until_it_is_resumed() -> None:
    dance = Dance()
    async with a_stage(dance) as (_, client, _w):
        run = await client.start(Begun())
        await run.pause()
        await run.send(Nudged(note="end"))
        await asyncio.sleep(300)
        assert dance.went == []
        assert (await run.status()).status == "paused"
        with pytest.raises(CommandRefused, match="it is paused already"):
            await run.pause()
        await run.resume()
        await run.result(Done)
        with pytest.raises(CommandRefused):
            await run.resume()


@virtual
async def test_a_run_stays_paused_for_the_next_worker() -> None:
    dance = Dance()
    async with a_stage(dance) as (stage, client, worker):
        run = await client.start(Begun())
        await run.pause()
        await run.send(Nudged(note="end"))
        await worker.stop()
        await stage.worker(dance)
        await asyncio.sleep(300)
        assert dance.went == []
        await run.resume()
        await run.result(Done)


@virtual
async def test_retry_names_how_many_steps_go_on_and_can_be_narrowed() -> None:
    dance = Dance()
    dance.broken = True
    async with a_stage(dance) as (stage, client, _):
        run = await client.start(Begun())
        for note in ("a", "b"):
            await run.send(Nudged(note=note))
        await eventually(lambda: len(dance.went) == 2)
        await stage.folded(dance, lambda log: len(log.of(Kind.FAILURE)) == 2)
        dance.broken = False
        assert await run.retry("again", by="ann", reactor="go") == 2
        with pytest.raises(CommandRefused, match="no step of rest is parked"):
            await run.retry(reactor="rest")
        await run.send(Nudged(note="end"))
        await run.result(Done)


@virtual
async def test_of_two_retries_at_once_one_is_refused() -> None:
    dance = Dance()
    dance.broken = True
    async with a_stage(dance) as (stage, client, _):
        other = await stage.client(dance)
        run = await client.start(Begun(), run_id="one")
        await run.send(Nudged(note="end"))
        await stage.folded(dance, lambda log: log.of(Kind.FAILURE))
        dance.broken = False
        tried = await asyncio.gather(run.retry(), other.run("one").retry(), return_exceptions=True)
        assert sorted(type(t).__name__ for t in tried) == ["CommandRefused", "int"]
        await run.result(Done)


@virtual
async def test_a_command_of_a_run_that_ended_with_a_parked_step_can_still_retry_it() -> None:
    dance = Choreography("dance")
    broken = [True]

    @dance.reactor
    async def go(begun: Begun) -> Stopped:
        return Stopped()

    @dance.reactor(retry=Retry(attempts=1))
    async def thank(stopped: Stopped) -> None:
        if broken[0]:
            raise OSError

    async with a_stage(dance) as (stage, client, _):
        run = await client.start(Begun())
        await run.result(Stopped)
        await stage.folded(dance, lambda log: log.of(Kind.FAILURE))
        assert (await run.status()).status == "failed"
        broken[0] = False
        assert await run.retry() == 1
        await stage.folded(dance, lambda log: not log.open)
        assert (await run.status()).status == "completed"
