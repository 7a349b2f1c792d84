"""Unpacking what a broker answers: nothing is skipped, nothing stops a partition without a word."""

import struct

import pytest
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.util import calc_crc32c

from farandole.eventstore import PartitionCorrupt, StoreError, StoreMisconfigured
from farandole.eventstore.kafka.records import Chunk, unpack

LOG_APPEND, CONTROL, SNAPPY = 8, 32, 2
STAMP = 1_700_000_000_123


def a_batch(base: int, *values: bytes, attributes: int = LOG_APPEND, name: bytes = b"head") -> bytes:
    """A batch as a broker stores it."""
    builder = DefaultRecordBatchBuilder(2, 0, 0, 1, 0, 0, 1_000_000)
    for i, value in enumerate(values):
        builder.append(i, 1, b"key", value, [("head", b"x"), ("none", None)])
    batch = bytearray(bytes(builder.build()).replace(b"head", name))
    struct.pack_into(">q", batch, 0, base)
    struct.pack_into(">h", batch, 21, attributes)
    struct.pack_into(">q", batch, 35, STAMP)
    struct.pack_into(">I", batch, 17, calc_crc32c(bytes(batch[21:])))
    return bytes(batch)


def chunk(data: bytes, offset: int) -> Chunk:
    return Chunk(3, offset, 0, 100, data)


def test_records_bear_the_logs_time_and_their_place() -> None:
    records, following = unpack("t", chunk(a_batch(7, b"a", b"b") + a_batch(9, b"c"), 7))
    assert [(r.partition, r.offset, r.time, r.key, r.value) for r in records] == [
        (3, 7, STAMP, b"key", b"a"),
        (3, 8, STAMP, b"key", b"b"),
        (3, 9, STAMP, b"key", b"c"),
    ]
    assert following == 10
    assert list(records[0].headers) == [("head", b"x"), ("none", b"")]


def test_what_precedes_the_offset_in_a_batch_is_left_out() -> None:
    records, _ = unpack("t", chunk(a_batch(7, b"a", b"b"), 8))
    assert [r.value for r in records] == [b"b"]


def test_a_batch_cut_short_at_the_end_is_fetched_next_time() -> None:
    records, following = unpack("t", chunk(a_batch(7, b"a") + a_batch(8, b"b")[:-3], 7))
    assert ([r.value for r in records], following) == ([b"a"], 8)


def test_markers_of_transactions_are_passed_over() -> None:
    data = a_batch(7, b"a") + a_batch(8, b"\0\0\0\0\0\0", attributes=LOG_APPEND | CONTROL) + a_batch(9, b"b")
    records, following = unpack("t", chunk(data, 7))
    assert ([r.offset for r in records], following) == ([7, 9], 10)


def test_a_header_name_that_is_no_text_neither_stops_a_partition_nor_hides_its_record() -> None:
    data = a_batch(7, b"a") + a_batch(8, b"b", b"c", name=b"\xff\xfead") + a_batch(10, b"d")
    records, following = unpack("t", chunk(data, 9))
    assert [(r.offset, r.value, r.time) for r in records] == [(9, b"c", STAMP), (10, b"d", STAMP)]
    assert list(records[0].headers) == [("\\xff\\xfead", b"x"), ("none", b"")]
    assert following == 11


def test_a_wrong_checksum_is_an_error_with_its_place_once_all_before_it_is_read() -> None:
    bad = bytearray(a_batch(8, b"b"))
    bad[-1] ^= 1
    records, following = unpack("t", chunk(a_batch(7, b"a") + bad, 7))
    assert ([r.value for r in records], following) == ([b"a"], 8)
    with pytest.raises(PartitionCorrupt, match=r"t/3 is corrupt at offset 8.*nothing was skipped") as corrupt:
        unpack("t", chunk(bytes(bad), 8))
    assert corrupt.value.partition == 3


def test_senders_times_are_an_error_with_the_cure() -> None:
    with pytest.raises(StoreMisconfigured, match=r"message\.timestamp\.type=LogAppendTime"):
        unpack("t", chunk(a_batch(7, b"a", attributes=0), 7))


def test_a_compression_that_is_not_installed_is_an_error_with_the_cure() -> None:
    pytest.importorskip("aiokafka")
    with pytest.raises(StoreError, match=r"aiokafka\[all\]|corrupt"):
        unpack("t", chunk(a_batch(7, b"a", attributes=LOG_APPEND | SNAPPY), 7))
