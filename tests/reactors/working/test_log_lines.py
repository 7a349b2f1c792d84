"""What a worker logs says what it is about in fields of its own, is not much, and quotes nobody."""

import json
import logging
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
import structlog
from tests.reactors.working.controls import Begun, Done, Stage, eventually

from farandole.cli.logs import JsonFormatter, TextFormatter
from farandole.eventstore import Record
from farandole.reactors import Choreography, GiveUp, Retry, Step
from farandole.schemas import Event, Start
from farandole.schemas.envelope import Kind

SECRET = "hunter2"


class Told(Start):
    password: str


class Heard(Event): ...


def dance() -> Choreography:
    choreography = Choreography("dance")

    @choreography.reactor(retry=Retry(attempts=2, first="1ms"))
    async def hear(told: Told, step: Step) -> Heard:
        step.log.info("listening")
        raise OSError(f"nobody understands {told.password}")

    @choreography.reactor
    async def end(begun: Begun) -> Done:
        if begun.n:
            raise GiveUp(SECRET)
        return Done()

    return choreography


@pytest.fixture
def everything(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    caplog.set_level(logging.DEBUG, logger="farandole")
    yield caplog


def line(caplog: pytest.LogCaptureFixture, said: str) -> Any:
    (found,) = [record for record in caplog.records if said in record.getMessage()]
    return found


async def the_failing_step(stage: Stage) -> tuple[str, int]:
    """A run whose step fails, is tried again, and fails for good; its id and partition."""
    await stage.worker(dance())
    client = await stage.client(dance())
    run = await client.start(Told(password=SECRET), run_id="order-17")
    while (status := await run.status()).status != "failed":
        await client.follower.progress()
    return status.owed[0].trigger, status.partition


@pytest.mark.parametrize("partitions", [8])
async def test_a_step_that_fails_and_is_tried_again(everything: pytest.LogCaptureFixture, partitions: int) -> None:
    async with Stage(partitions=partitions) as stage:
        trigger, partition = await the_failing_step(stage)
        await eventually(lambda: "failed for good" in everything.text)
    again = line(everything, "is followed by another")
    assert again.levelno == logging.DEBUG
    assert again.getMessage().startswith("dance.hear: attempt 1 failed with OSError and is followed by another in 0.0")
    final = line(everything, "failed for good")
    assert final.levelno == logging.WARNING
    for each, attempt in ((again, 1), (final, 2)):
        about = (each.run_id, each.reactor, each.event_id, each.partition, each.attempt)
        assert about == ("order-17", "hear", trigger, partition, attempt)


async def test_what_a_handler_says_is_about_its_step(everything: pytest.LogCaptureFixture) -> None:
    async with Stage(partitions=8) as stage:
        trigger, partition = await the_failing_step(stage)
    first, second = [record for record in everything.records if record.getMessage() == "listening"]
    assert first.name == "farandole.dance.hear"
    for record, attempt in ((first, 1), (second, 2)):
        fields = vars(record)
        about = [fields[name] for name in ("run_id", "reactor", "event_id", "partition", "attempt")]
        assert about == ["order-17", "hear", trigger, partition, attempt]


async def test_an_outcome_that_is_refused(everything: pytest.LogCaptureFixture) -> None:
    async with Stage() as stage:
        worker = await stage.worker(dance())
        client = await stage.client(dance())
        await (await client.start(Begun(), run_id="order-18")).result(Done)
        ((stored, out),) = (await stage.fold(dance())).of(Kind.OUTCOME)
        assert out.envelope is not None
        await worker.store.append(0, [Record(stored.key, stored.value, stored.headers)])
        await eventually(lambda: "is refused" in everything.text)
    refused = line(everything, "a record of kind outcome is refused: ")
    assert refused.levelno == logging.DEBUG
    about = (refused.run_id, refused.reactor, refused.event_id, refused.partition)
    assert about == ("order-18", "end", out.envelope.causation.decode(), 0)


async def test_what_was_refused_long_ago_is_not_told_when_a_partition_is_restored(
    everything: pytest.LogCaptureFixture,
) -> None:
    async with Stage() as stage:
        client = await stage.client(dance())
        await client.start(Begun(), run_id="r")
        assert not await (await client.start(Begun(), run_id="r")).created
        worker = await stage.worker(dance())
        await eventually(lambda: worker.worker.stats.reactors["end"].done)
    assert "is refused" not in everything.text


@pytest.mark.parametrize("formatter", [JsonFormatter(), TextFormatter(colours=False)], ids=["json", "text"])
async def test_no_line_quotes_a_payload_or_what_an_error_says(
    everything: pytest.LogCaptureFixture, formatter: logging.Formatter
) -> None:
    async with Stage() as stage:
        await the_failing_step(stage)
        client = await stage.client(dance())
        run = await client.start(Begun(n=1))
        while (await run.status()).status != "failed":
            await client.follower.progress()
        await eventually(lambda: everything.text.count("failed for good") == 2)
    lines = [formatter.format(record) for record in everything.records]
    assert len(lines) > 5
    assert SECRET not in "\n".join(lines)


async def test_a_step_that_goes_well_is_no_line_by_default(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="farandole")
    async with Stage() as stage:
        await stage.worker(dance())
        client = await stage.client(dance())
        caplog.clear()
        for _ in range(20):
            await (await client.start(Begun())).result(Done)
    assert not caplog.records


async def test_structlog_has_the_fields_too(everything: pytest.LogCaptureFixture) -> None:
    async with Stage() as stage:
        await the_failing_step(stage)
        await eventually(lambda: "failed for good" in everything.text)
    written = StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_log_level, structlog.stdlib.ExtraAdder()],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    handler.handle(line(everything, "failed for good"))
    told = json.loads(written.getvalue())
    assert (told["run_id"], told["reactor"], told["level"]) == ("order-17", "hear", "warning")
