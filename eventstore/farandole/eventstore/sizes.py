"""How large a record is, and the refusal of those that are too large, before anything is sent."""

from collections.abc import Sequence
from typing import Final

from .contract import Record
from .errors import TooLarge

MAX_RECORD_BYTES: Final = 1_000_000
"""The largest record that the in-memory and SQLite stores take, unless told otherwise; near Kafka's own default."""


def record_bytes(record: Record) -> int:
    """The bytes of key, value and headers (names in UTF-8); no framing."""
    size = len(record.key or b"") + len(record.value or b"")
    for name, value in record.headers:
        size += len(name) + len(value) if name.isascii() else len(name.encode()) + len(value)
    return size


def check_sizes(records: Sequence[Record], most: int) -> int:
    """The bytes of all records together.

    Raises:
        ValueError: there is no record.
        TooLarge: one of them is larger than ``most`` bytes.
    """
    if not records:
        raise ValueError("there is nothing to append: give at least one record")
    total = 0
    for i, record in enumerate(records):
        size = record_bytes(record)
        if size > most:
            raise TooLarge(
                f"record {i + 1} of {len(records)} is {size:,} bytes; this log takes {most:,} at most. "
                "Keep large data elsewhere and put a reference into the event"
            )
        total += size
    return total


def beyond_the_end(partition: int, before: int, end: int) -> ValueError:
    """The error for records to be deleted that are not there yet."""
    return ValueError(f"partition {partition} ends at offset {end}: nothing was deleted below {before}")


def check_partition(partition: int, partitions: int) -> None:
    """Refuse a partition that the log does not have.

    Raises:
        ValueError: there is no such partition.
    """
    if not 0 <= partition < partitions:
        raise ValueError(f"there is no partition {partition}: the log has {partitions}, numbered from 0")
