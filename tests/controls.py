"""Example data. A test states only what matters to it, and takes the rest from here."""

from collections.abc import Sequence
from itertools import count

from farandole.eventstore import Record
from farandole.schemas.envelope import Header

_numbers = count(1)


def a_run_id() -> bytes:
    """A run id that no other call returned."""
    return b"run-%d" % next(_numbers)


def a_choreography() -> str:
    """The name of a choreography that no other call returned."""
    return f"dance-{next(_numbers)}"


def some_headers() -> list[Header]:
    return [("ce_specversion", b"1.0"), ("ce_id", b"e1"), ("ce_source", b"/dance/steps"), ("ce_type", b"dance.Stepped")]


def a_record(
    value: bytes | None = b"a value", key: bytes | None = b"a key", headers: Sequence[Header] | None = None
) -> Record:
    return Record(key, value, some_headers() if headers is None else headers)


def some_records(count: int, prefix: str = "v") -> list[Record]:
    """Records whose values are ``v0``, ``v1``, … in order."""
    return [a_record(f"{prefix}{i}".encode()) for i in range(count)]
