"""What passes through a payload codec is readable to its owners only, failures included."""

import asyncio
import logging
from typing import Any

import pytest
from tests.reactors.working.controls import Begun, Done, Nudged, Stage, Stopped, Went, virtual

from farandole.reactors import Choreography, Failed, Retry, RetryAfter, Run, Step
from farandole.reactors.errors import RunFailed
from farandole.schemas import Chain, Compress, EncodingError, Encrypt, PayloadCodec, PayloadContext
from farandole.schemas.envelope import Kind

SECRET = "the rabbit is in the hat " * 20
KEYS = {"one": bytes(range(32))}


def dance(codec: PayloadCodec | None) -> Choreography:
    choreography = Choreography("dance", codec=codec)

    @choreography.reactor(retry=Retry(attempts=1))
    async def go(nudged: Nudged, run: Run[Begun]) -> Went:
        if nudged.note == "fail":
            raise ValueError(SECRET)
        return Went(n=len(await run.events(Nudged)))

    @choreography.reactor
    async def end(went: Went) -> Stopped:
        return Stopped(why=SECRET)

    return choreography


@pytest.mark.parametrize(
    "codec", [Compress(), Encrypt(KEYS, active="one"), Chain(Compress(), Encrypt(KEYS, active="one"))], ids=repr
)
@virtual
async def test_values_are_coded_on_their_way_in_and_out(codec: PayloadCodec) -> None:
    async with Stage() as stage:
        await stage.worker(dance(codec))
        client = await stage.client(dance(codec))
        run = await client.start(Begun())
        await run.send(Nudged(note=SECRET))
        assert await run.result(Stopped) == Stopped(why=SECRET)
        assert [r.event async for r in run.events()][-1] == Stopped(why=SECRET)
        log = await stage.fold(dance(codec))
        assert not any(SECRET.encode() in (record.value or b"") for record, _ in log.records)


@virtual
async def test_a_failure_is_coded_too_and_read_by_those_who_may() -> None:
    codec = Encrypt(KEYS, active="one")
    async with Stage() as stage:
        await stage.worker(dance(codec))
        client = await stage.client(dance(codec))
        run = await client.start(Begun())
        await run.send(Nudged(note="fail"))
        with pytest.raises(RunFailed) as failed:
            await run.result()
        assert failed.value.error == SECRET
        assert "raise ValueError(SECRET)" in failed.value.traceback
        log = await stage.fold(dance(codec))
        assert not any(b"rabbit" in (record.value or b"") for record, _ in log.records)
        blind = await stage.client(dance(None))
        with pytest.raises(RunFailed, match="its error cannot be read here"):
            await blind.run(run.id).result()


@virtual
async def test_who_takes_failed_reads_a_coded_failure() -> None:
    choreography = dance(Encrypt(KEYS, active="one"))
    told: list[Failed[Any]] = []

    @choreography.reactor
    async def catch(failed: Failed[Nudged]) -> Done:
        told.append(failed)
        return Done()

    async with Stage() as stage:
        await stage.worker(choreography)
        client = await stage.client(choreography)
        run = await client.start(Begun())
        await run.send(Nudged(note="fail"))
        await run.result(Done)
        assert (told[0].event, told[0].error) == (Nudged(note="fail"), SECRET)


class Broken:
    """Encodes what it is told to, and fails at the rest."""

    def encode(self, value: bytes, context: PayloadContext, /) -> bytes:
        if context.type.endswith((".Begun", ".Nudged")):
            return value
        raise EncodingError("the key store is away")

    def decode(self, value: bytes, context: PayloadContext, /) -> bytes:
        return value


@virtual
async def test_a_codec_that_fails_parks_the_step_and_its_failure_tells_no_secret() -> None:
    async with Stage() as stage:
        worker = await stage.worker(dance(Broken()))
        client = await stage.client(dance(Broken()))
        run = await client.start(Begun())
        await run.send(Nudged(note="fail"))
        with pytest.raises(
            RunFailed, match=r"ValueError: not recorded, for the payload codec failed: the key store"
        ) as failed:
            await run.result()
        assert "rabbit" not in str(failed.value) + failed.value.traceback
        assert not worker.task.done()
        assert worker.worker.dispatcher.held == 0


@virtual
async def test_a_reader_without_the_codec_parks_its_own_steps_only() -> None:
    blind = Choreography("dance", service="blind")

    @blind.reactor(name="peek")
    async def peek(nudged: Nudged) -> None: ...

    codec = Encrypt(KEYS, active="one")
    async with Stage() as stage:
        await stage.worker(dance(codec))
        await stage.worker(blind)
        client = await stage.client(dance(codec))
        run = await client.start(Begun())
        await run.send(Nudged(note=SECRET))
        await run.result(Stopped, on_parked="wait")
        while not (parked := [step for step in (await run.status()).owed if step.parked]):
            await client.follower.progress()
        assert [step.reactor for step in parked] == ["peek"]


@virtual
async def test_secrets_are_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with Stage() as stage:
        codec = Encrypt(KEYS, active="one")
        worker = await stage.worker(dance(codec))
        client = await stage.client(dance(codec))
        run = await client.start(Begun())
        await run.send(Nudged(note="fail"))
        with pytest.raises(RunFailed):
            await run.result()
        await worker.stop()
        assert "rabbit" not in caplog.text


@virtual
async def test_what_sub_steps_return_is_coded_too_and_read_by_later_attempts() -> None:
    choreography, asked = Choreography("dance", codec=Encrypt(KEYS, active="one")), list[str]()

    async def ask() -> str:
        asked.append(SECRET)
        return SECRET

    @choreography.reactor
    async def go(begun: Begun, step: Step) -> Stopped:
        said = await step.once("ask", ask)
        step.progress(0.5, SECRET)
        await asyncio.sleep(2)
        if step.attempt == 1:
            raise RetryAfter("1s")
        return Stopped(why=said)

    async with Stage() as stage:
        await stage.worker(choreography)
        run = await (await stage.client(choreography)).start(Begun())
        assert await run.result(Stopped) == Stopped(why=SECRET)
        assert asked == [SECRET]
        log = await stage.fold(choreography)
        assert len(log.of(Kind.SUBSTEP)) == 1
        assert log.of(Kind.PROGRESS)
        assert not any(SECRET.encode() in (record.value or b"") for record, _ in log.records)
