"""The bytes of fetched batches as records of the contract: every record that is read passes here.

Batches are unpacked here rather than by the client's consumer, because that one hides what a fold must know: at which
offset a batch is corrupt, that a partition is gone, that a connection was lost. It is also a third of the work.
"""

import struct
import zlib
from typing import Any, Final, NamedTuple

from aiokafka.errors import CorruptRecordException, UnsupportedCodecError, for_code
from aiokafka.record.memory_records import MemoryRecords

from farandole.eventstore.contract import Stored
from farandole.eventstore.errors import PartitionCorrupt, StoreMisconfigured

from .fetching import Fetched
from .lenient import lenient
from .numbering import plain

LOG_APPEND_TIME: Final = 1

_new: Final = tuple.__new__


class Chunk(NamedTuple):
    """What a broker answered for one partition, still packed."""

    partition: int
    offset: int
    code: int
    high_water: int
    data: bytes


class Unpacked(NamedTuple):
    """The records of a chunk, and the offset at which to go on."""

    records: list[Stored]
    next: int


def chunks(response: Fetched, offsets: dict[int, int]) -> list[Chunk]:
    """The answers in a response, with the offset that was asked for in each partition.

    A response has room for a few partitions only, so an empty answer means something only if all are empty: beside
    others that hold records it is left out.

    Raises:
        KafkaError: the broker refused the request as a whole.
    """
    if response.code:
        raise for_code(response.code)("the fetch request was refused")
    answers = response.answers
    telling = [a for a in answers if a.data or a.code]
    if not any(a.data for a in telling):
        telling = answers
    return [Chunk(a.partition, offsets[a.partition], a.code, a.high_water, a.data) for a in telling]


def unpack(topic: str, chunk: Chunk) -> Unpacked:
    """Unpack a chunk from its offset on.

    Raises:
        PartitionCorrupt: a batch is damaged. It names the partition and the offset.
        StoreMisconfigured: the records bear their senders' times.
    """
    partition, at = chunk.partition, chunk.offset
    made: list[Stored] = []
    try:
        batches = MemoryRecords(chunk.data)
        while batches.has_next():
            batch = batches.next_batch()
            if not batch.validate_crc():
                raise CorruptRecordException("the checksum of the batch is wrong")
            if batch.is_control_batch:
                at = batch.next_offset
                continue
            if batch.timestamp_type != LOG_APPEND_TIME:
                raise not_log_time(topic)
            records = _records(batch, partition, chunk.data)
            made += records if batch.base_offset >= at else [r for r in records if r.offset >= at]
            at = max(at, batch.next_offset)
    except UnsupportedCodecError as e:
        if made:
            return Unpacked(made, at)
        raise StoreMisconfigured(
            f"{topic}/{partition} is compressed from offset {at} on ({e}): install aiokafka[all], or let producers and "
            "the topic (compression.type) use none or gzip"
        ) from e
    except (CorruptRecordException, OSError, EOFError, ValueError, IndexError, struct.error, zlib.error) as e:
        if made:
            # What is sound comes first; the next fetch begins with what is not.
            return Unpacked(made, at)
        raise PartitionCorrupt(
            f"{topic}/{partition} is corrupt at offset {at} ({e}): nothing was skipped; restore the broker's segment "
            "from a replica or a backup",
            partition,
        ) from e
    return Unpacked(made, at)


def _records(batch: Any, partition: int, data: bytes) -> list[Stored]:
    try:
        made = [_new(Stored, (partition, r.offset, r.timestamp, r.key, r.value, r.headers)) for r in batch]
    except UnicodeDecodeError:
        return plain(list(lenient(data, batch.base_offset, partition)))
    # Others may write headers without a value, which the contract's type does not have.
    if None in [value for each in made for _, value in each.headers]:
        made = [each._replace(headers=[(name, value or b"") for name, value in each.headers]) for each in made]
    return plain(made)


def not_log_time(topic: str) -> StoreMisconfigured:
    """The error for a topic whose records bear their senders' times."""
    return StoreMisconfigured(
        f"{topic} has records with their senders' times, but deadlines and timers count in log time: run "
        f"kafka-configs.sh --bootstrap-server <broker> --alter --topic {topic} "
        "--add-config message.timestamp.type=LogAppendTime, and write no records by other means before that"
    )
