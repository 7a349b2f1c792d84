"""Group commit as a rule: what goes into a batch."""

import asyncio
from collections import deque
from typing import Any

import pytest
from aiokafka.producer.message_accumulator import BatchBuilder

from farandole.eventstore import Record, TooLarge
from farandole.eventstore.kafka.batches import FRAMING, Waiting, fill, max_record, measure

ROOM = 4096


def waiting(*sizes: int) -> Waiting:
    records = [Record(b"k", bytes(size), []) for size in sizes]
    return Waiting(records, measure(records, ROOM), 0.0, asyncio.get_running_loop().create_future())


def batch(queue: deque[Waiting]) -> list[int]:
    builder: Any = BatchBuilder(ROOM, 0)
    taken = fill(builder, queue, ROOM)
    assert builder.size() <= ROOM
    return [count for _, count in taken]


async def test_appends_share_a_batch_while_there_is_room() -> None:
    queue = deque([waiting(100, 100), waiting(100), waiting(3000), waiting(2000)])
    assert batch(queue) == [2, 1, 1]
    assert batch(queue) == [1]
    assert not queue


async def test_an_append_that_does_not_fit_behind_others_begins_the_next_batch() -> None:
    queue = deque([waiting(1000), waiting(1500, 1500), waiting(100)])
    assert batch(queue) == [1]
    assert batch(queue) == [2, 1]


async def test_an_append_larger_than_a_batch_is_split_over_batches_of_its_own() -> None:
    large = waiting(*[1500] * 5)
    queue = deque([large, waiting(10)])
    for expected in ([2], [2]):
        assert batch(queue) == expected
        large.sent += expected[0]
    assert batch(queue) == [1]
    assert batch(queue) == [1]


async def test_an_append_whose_caller_has_gone_is_left_out() -> None:
    queue = deque([waiting(10), waiting(20), waiting(30)])
    queue[1].done.cancel()
    assert batch(queue) == [1, 1]


async def test_an_append_that_is_no_record_is_told_and_the_others_stay_in_order() -> None:
    queue = deque([waiting(10), waiting(20), waiting(30)])
    bad = queue[1]
    bad.records = [*bad.records, Record(b"k", 5, [])]  # type: ignore[arg-type]
    one, _, three = queue
    assert batch(queue) == []
    assert isinstance(bad.done.exception(), TypeError)
    assert list(queue) == [one, three]
    assert batch(queue) == [1, 1]


def test_the_size_of_a_record_is_its_key_value_and_headers() -> None:
    largest = max_record(ROOM)
    assert largest == ROOM - FRAMING
    measure([Record(b"k" * 10, bytes(largest - 15), [("é", b"abc")])], largest)
    with pytest.raises(TooLarge, match="keep large data elsewhere"):
        measure([Record(b"k" * 10, bytes(largest - 14), [("é", b"abc")])], largest)


def test_many_headers_count_with_their_lengths() -> None:
    with pytest.raises(TooLarge):
        measure([Record(None, None, [("h", b"")] * 2000)], max_record(ROOM))
