"""A field's value gets neither into a failure's record nor into a log line, whatever pydantic says of it."""

import logging
import traceback
from collections.abc import Callable
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field, TypeAdapter
from tests.reactors.working.controls import Begun, Done, Stage, virtual

from farandole.reactors import Choreography, Retry
from farandole.reactors.errors import ProviderFailed, RunFailed
from farandole.schemas import failure_fields

SECRET = "4242424242424242"


class Card(BaseModel):
    kind: Literal["card"]
    number: int


class Cash(BaseModel):
    kind: Literal["cash"]


class Bank: ...


def changes_an_event(begun: Begun) -> None:
    begun.n = SECRET  # type: ignore[assignment, misc]


def makes_an_event(begun: Begun) -> None:
    Begun(n="no number: " + SECRET)  # type: ignore[arg-type]


def reads_a_model(begun: Begun) -> None:
    Card.model_validate({"kind": "card", "number": SECRET + "x"})


def reads_a_tag(begun: Begun) -> None:
    TypeAdapter(Annotated[Card | Cash, Field(discriminator="kind")]).validate_python({"kind": SECRET})


def tells_its_cause(begun: Begun) -> None:
    try:
        reads_a_model(begun)
    except ValueError as e:
        raise RuntimeError("the card cannot be read") from e


def fails_on_the_way_out(begun: Begun) -> None:
    try:
        reads_a_model(begun)
    except ValueError:
        raise LookupError("no card") from ExceptionGroup("several", [KeyError("x")])


def fails_twice(begun: Begun) -> None:
    errors: list[Exception] = []
    for fails in (reads_a_model, tells_its_cause):
        try:
            fails(begun)
        except Exception as e:
            errors.append(e)
    raise ExceptionGroup("both", errors)


async def a_run_that_fails(fails: Callable[[Begun], None]) -> tuple[RunFailed, list[bytes]]:
    """What its client is told, and the values of all records in its log."""
    dance = Choreography("dance")

    @dance.reactor(retry=Retry(attempts=1))
    async def end(begun: Begun) -> Done:
        fails(begun)
        return Done()

    async with Stage() as stage:
        await stage.worker(dance)
        client = await stage.client(dance)
        with pytest.raises(RunFailed) as failed:
            await (await client.start(Begun())).result()
        log = await stage.fold(dance)
    return failed.value, [record.value or b"" for record, _ in log.records]


@pytest.mark.parametrize(
    "fails",
    [changes_an_event, makes_an_event, reads_a_model, reads_a_tag, tells_its_cause, fails_on_the_way_out, fails_twice],
)
@virtual
async def test_no_value_is_recorded_or_logged(fails: Callable[[Begun], None], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    failed, values = await a_run_that_fails(fails)
    assert fails.__name__ in failed.traceback
    assert SECRET not in str(failed) + failed.traceback + caplog.text
    assert values
    assert not any(SECRET.encode() in value for value in values)


@virtual
async def test_what_is_wrong_is_told_all_the_same() -> None:
    failed, _ = await a_run_that_fails(reads_a_model)
    told = (
        "1 validation error for Card\nnumber\n  Input should be a valid integer, unable to parse string as an integer"
    )
    assert told in failed.error
    assert failed.traceback.rstrip().endswith("[type=int_parsing]")


async def test_settings_that_a_provider_cannot_read_are_not_told() -> None:
    dance = Choreography("dance")

    @dance.provide
    def bank() -> Bank:
        Card.model_validate({"kind": "card", "number": SECRET + "x"})
        return Bank()

    @dance.reactor
    async def end(begun: Begun, bank: Bank) -> Done:
        return Done()

    with pytest.raises(ProviderFailed, match="number") as failed:
        async with dance.work("memory://"):
            pass
    assert SECRET not in str(failed.value)


def test_all_is_left_as_it_was_in_what_pydantic_has_no_part_in() -> None:
    def inner() -> Any:
        raise ValueError("as it is")

    try:
        try:
            inner()
        except ValueError as e:
            raise ExceptionGroup("g", [e, KeyError("k")]) from e
    except ExceptionGroup as e:
        assert failure_fields(e)["traceback"] == "".join(traceback.format_exception(e))
