"""Group commit: which of the waiting appends go into the next batch. No I/O.

An append that fits a batch is never torn: if it does not fit behind the others, it begins the next batch. An append
larger than a batch is split, in order, over batches of its own.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Any, Final

from aiokafka.record.default_records import DefaultRecordBatchBuilder

from farandole.eventstore.contract import Record
from farandole.eventstore.errors import TooLarge

BATCH_HEADER: Final = 61
FRAMING: Final = 1024
"""Bytes of a batch that are kept free for its header and for the lengths within a record."""

_size = DefaultRecordBatchBuilder.estimate_size_in_bytes


class Waiting:
    """One append in a queue.

    Attributes:
        records: what to append.
        size: the most bytes that they take in a batch.
        deadline: when to give up, in the event loop's time.
        done: the caller's future: the offset of the first record, or an error.
        sent: how many records have been acknowledged, for an append larger than a batch.
        first: the offset of the first record, once it is known.
    """

    __slots__ = ("deadline", "done", "first", "records", "sent", "size")

    def __init__(self, records: Sequence[Record], size: int, deadline: float, done: asyncio.Future[int]) -> None:
        self.records = records
        self.size = size
        self.deadline = deadline
        self.done = done
        self.sent = 0
        self.first = -1


def max_record(max_message: int) -> int:
    """The largest key, value and headers that fit a topic's ``max.message.bytes``."""
    return max_message - FRAMING


def measure(records: Sequence[Record], largest: int) -> int:
    """The most bytes that records take in a batch.

    Raises:
        TooLarge: one of them is larger than ``largest`` bytes of key, value and headers.
    """
    total = 0
    limit = largest + FRAMING
    for key, value, headers in records:
        size = _size(key, value, headers if type(headers) is list else list(headers))
        # The client's estimate has the batch's header in it: only a record near the limit is counted exactly.
        if size > largest:
            exact = len(key or b"") + len(value or b"") + sum(len(k.encode()) + len(v) for k, v in headers)
            if exact > largest or size > limit:
                raise TooLarge(
                    f"a record of {exact:,} bytes is larger than the log takes ({largest:,}): keep large data "
                    "elsewhere and its address in the event, or raise the topic's max.message.bytes"
                )
        total += size - BATCH_HEADER
    return total


def fill(builder: Any, queue: deque[Waiting], room: int) -> list[tuple[Waiting, int]]:
    """Move appends from the head of a queue into a batch.

    Args:
        builder: an empty batch of the client.
        queue: appends in the order of the calls. Those that are in the batch whole leave it.
        room: the largest batch, in bytes.

    Returns:
        Each append in the batch, with how many of its records are there. Empty if all callers have gone, or if one gave
        something that is no record, which is told to that one; the builder must then not be used.
    """
    taken: list[tuple[Waiting, int]] = []
    left = room - BATCH_HEADER
    put = builder.append
    while queue:
        head = queue[0]
        if head.done.done() and not head.sent:
            queue.popleft()
            continue
        if head.size > left and taken:
            break
        count = 0
        try:
            for key, value, headers in head.records[head.sent :] if head.sent else head.records:
                own = headers if type(headers) is list else list(headers)
                if put(timestamp=0, key=key, value=value, headers=own) is None:
                    break
                count += 1
        except (TypeError, ValueError, AttributeError) as e:
            # The batch now holds a part of this append, so it is of no use; the appends before it begin another.
            queue.popleft()
            queue.extendleft(each for each, _ in reversed(taken))
            head.done.set_exception(e)
            return []
        taken.append((head, count))
        if head.sent + count < len(head.records):
            break
        queue.popleft()
        left -= head.size
    return taken
