"""System records are the same bytes in every release."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.schemas.golden_files import same_as_golden

from farandole.schemas import EncodingError, SystemSchema, UndecodableValue, failure_fields
from farandole.schemas.system_records import CONTRACT, FAILURE, RETRY, SETTING, SYSTEM_RECORDS

EXAMPLES: dict[str, dict[str, Any]] = {
    "farandole.Failure": {"error": "ValueError", "message": "no", "traceback": "Traceback", "fingerprint": "00ff"},
    "farandole.Genesis": {"log_id": "0" * 32, "partitions": 16, "fold_version": 1, "settings": {"drain": 100}},
    "farandole.Setting": {"name": "drain", "value": 50, "replaces": 100, "reason": "loop", "by": "ann"},
    "farandole.Version": {"version": 2, "reason": "", "by": "ann"},
    "farandole.Contract": {
        "reactor": "ship",
        "service": "warehouse",
        "version": "2025.3",
        "takes": [["orders.PaymentTaken"], ["orders.Packed", "orders.PackedAgain"]],
        "forms": ["event", "failed"],
        "signals": [],
        "of": ["take_payment"],
        "each": "",
        "gives": [{"form": "one", "types": ["orders.Shipped"]}],
        "unless": ["orders.Cancelled"],
        "ordered": True,
        "compensates": False,
        "enough": 3,
        "within": 3_600_000,
        "deadline": 60_000,
        "state": "active",
        "renames": "send",
        "owner": "logistics",
        "replaces": "ab12",
    },
    "farandole.Cancel": {"reason": "why", "by": "ann"},
    "farandole.Retry": {"failure_id": "f" * 32, "reason": "fixed", "by": "ann"},
    "farandole.Pause": {"reason": "", "by": ""},
    "farandole.Resume": {"reason": "", "by": ""},
    "farandole.Owe": {"trigger": "e1", "offset": 2**40, "reactor": "ship", "reason": "", "by": "ann"},
    "farandole.Released": {"member": "worker-1"},
    "farandole.Expire": {},
    "farandole.Decision": {
        "question": "Publish?",
        "answers": ["news.Approved", "news.Rejected"],
        "about": '{"title":"New"}',
        "about_type": "Draft",
        "to": ["role:editor", "ann"],
        "within": 172_800_000,
        "otherwise": "news.Rejected",
        "quorum": 2,
    },
    "farandole.Substep": {"result": '{"id":7}'},
    "farandole.Progress": {"done": 0.5, "note": "half of it"},
    "farandole.Live": {
        "take": "0f" * 16,
        "index": 7,
        "lost": True,
        "personal": True,
        "pieces": [{"kind": "text", "text": "It will "}, {"kind": "call", "text": "look_up"}],
    },
    "farandole.ChildNews": {"error": "no such run", "cancelled": True, "verdict": 20, "failure": "f" * 32},
    "farandole.Policy": {"reactor": "ship", "stopped": True, "number": 3, "reason": "strike", "by": "ann"},
    "farandole.SchedulePaused": {"reason": "the mail server moves", "by": "ann"},
    "farandole.ScheduleResumed": {"reason": "", "by": "ann"},
    "farandole.ScheduleRemoved": {"reason": "", "by": ""},
}
BY_NAME = {record.name: record for record in SYSTEM_RECORDS}


def test_there_is_an_example_of_each() -> None:
    assert list(EXAMPLES) == list(BY_NAME)


@pytest.mark.parametrize("name", list(EXAMPLES))
def test_a_record_is_the_same_bytes_for_ever(name: str) -> None:
    record = BY_NAME[name]
    value = record.encode(EXAMPLES[name])
    same_as_golden(
        f"system/{name}.json",
        {"schema": json.loads(record.schema_json), "fingerprint": record.fingerprint.hex(), "value": value.hex()},
    )
    assert value[:2] == b"\xc3\x01"
    assert value[2:10] == record.fingerprint
    assert record.decode(value) == EXAMPLES[name]


def test_fields_with_a_default_can_be_left_out() -> None:
    assert RETRY.decode(RETRY.encode({"failure_id": "x"})) == {"failure_id": "x", "reason": "", "by": ""}


@pytest.mark.parametrize(
    ("record", "fields", "message"),
    [
        (RETRY, {}, "farandole.Retry: field 'failure_id' is not set"),
        (RETRY, {"failure_id": 5}, "farandole.Retry: field 'failure_id' holds a int where its schema says string"),
        (RETRY, {"failure_id": "x", "more": 1}, "farandole.Retry: it has no field 'more'; its fields are"),
        (
            CONTRACT,
            {**EXAMPLES["farandole.Contract"], "gives": [{"form": "one"}]},
            r"field 'gives\[0\].types' is not set",
        ),
    ],
)
def test_a_record_that_is_not_as_its_schema_says_is_refused(
    record: SystemSchema, fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(EncodingError, match=message):
        record.encode(fields)


@given(st.sampled_from(SYSTEM_RECORDS), st.binary(max_size=100), st.booleans())
def test_random_bytes_are_read_or_refused(record: SystemSchema, value: bytes, marked: bool) -> None:
    with contextlib.suppress(UndecodableValue):
        record.decode(b"\xc3\x01" + record.fingerprint + value if marked else value)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "the record has no value"),
        (b"", "not in Avro's single-object encoding"),
        (RETRY.encode({"failure_id": "x"}), "which this release does not know; deploy a newer one"),
        (SETTING.encode({"name": "a", "value": 1, "replaces": 0}) + b"x", "has 1 bytes too many"),
        (bytes(2_000_000), "at most 1048576 are read"),
    ],
)
def test_what_cannot_be_read_says_why(value: bytes | None, message: str) -> None:
    with pytest.raises(UndecodableValue, match=message):
        SETTING.decode(value)


def test_earlier_forms_of_a_record_stay_readable() -> None:
    first = SystemSchema("Thing", [{"name": "a", "type": "string"}])
    second = SystemSchema(
        "Thing", [{"name": "a", "type": "string"}, {"name": "b", "type": "long", "default": 7}], older=[first]
    )
    assert second.decode(first.encode({"a": "x"})) == {"a": "x", "b": 7}
    assert second.fingerprint != first.fingerprint


class Rude(Exception):
    def __str__(self) -> str:
        raise RuntimeError


def fail(depth: int, error: Exception) -> None:
    if depth:
        fail(depth - 1, error)
    raise error


@pytest.mark.parametrize(
    "error",
    [
        ValueError("no"),
        ValueError("x" * 100_000),
        ValueError("é" * 100_000),
        ValueError("\ud800"),
        Rude(),
        type("É" * 5_000, (Exception,), {})("x"),
        ExceptionGroup("many", [ValueError(str(i) * 100) for i in range(100)]),
    ],
    ids=lambda e: type(e).__name__[:10],
)
def test_a_failure_takes_at_most_eight_kilobytes(error: Exception) -> None:
    with pytest.raises(type(error)) as caught:
        fail(100, error)
    fields = failure_fields(caught.value)
    value = FAILURE.encode(fields)
    assert len(value) <= 8 * 1024
    assert FAILURE.decode(value) == fields


def test_the_end_of_a_long_traceback_is_kept() -> None:
    with pytest.raises(ValueError, match=r"^the end") as caught:
        raise ValueError("the end" + "\n" * 20_000) from KeyError("x" * 20_000)
    fields = failure_fields(caught.value)
    assert fields["error"] == "ValueError"
    assert "[…]" in fields["traceback"]
    assert fields["traceback"].startswith("KeyError")


def test_failures_of_one_cause_have_one_fingerprint() -> None:
    marks = set()
    for message in ("a", "b"):
        with pytest.raises(ValueError, match=message) as caught:
            fail(3, ValueError(message))
        marks.add(failure_fields(caught.value)["fingerprint"])
    with pytest.raises(KeyError) as other:
        fail(3, KeyError("a"))
    assert len(marks) == 1
    assert failure_fields(other.value)["fingerprint"] not in marks
