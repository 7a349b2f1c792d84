"""Reading a small topic of one partition to its end, again and again: each time only what is new."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Final

from aiokafka import errors as kafka

from farandole.eventstore.contract import Stored
from farandole.eventstore.errors import PositionLost

from .failures import NOT_AUTHORISED, OUT_OF_RANGE, unreachable
from .fetching import Fetch
from .link import FIRST_BACKOFF, LAST_BACKOFF, Link
from .records import Chunk, chunks, unpack

EACH: Final = 1024 * 1024


class Tail:
    """A place in partition 0 of a topic. Not for use by two tasks at once.

    Args:
        link: a line to the cluster.
        topic: the topic.
    """

    def __init__(self, link: Link, topic: str) -> None:
        self._link = link
        self._topic = topic
        self._at = 0

    async def fresh(self) -> AsyncIterator[list[Stored]]:
        """What was appended since the last call, as of this call; at first everything.

        Raises:
            PositionLost: the log is shorter than what was read before. The next call begins anew.
            StoreUnavailable: the log cannot be reached.
        """
        ends = (await self._link.ends(self._topic, [0]))[0]
        if ends.next < self._at:
            self._begin_anew(ends.next)
        self._at = max(self._at, ends.first)
        while self._at < ends.next:
            chunk = await fetch_once(self._link, self._topic, 0, self._at, EACH)
            if not chunk.data:
                now = (await self._link.ends(self._topic, [0]))[0]
                if now.next <= self._at < ends.next:
                    self._begin_anew(now.next)
                # What was here has just expired.
                self._at = max(self._at, now.first)
                continue
            records, self._at = unpack(self._topic, chunk)
            yield records

    def _begin_anew(self, end: int) -> None:
        was, self._at = self._at, 0
        raise PositionLost(
            f"{self._topic} was read up to offset {was}, and now ends at {end}: it was made anew, or lost records"
        )


async def fetch_once(link: Link, topic: str, partition: int, offset: int, size: int) -> Chunk:
    """What a partition holds from an offset on, with patience for brokers that are away.

    Returns:
        A chunk with data; or, if the log does not hold the offset, one without data, perhaps with the code
        `OUT_OF_RANGE`.

    Raises:
        StoreUnavailable: nothing came within the settings' patience.
        StoreMisconfigured: this user may not read the topic.
    """
    deadline = time.monotonic() + link.settings.patience
    backoff = FIRST_BACKOFF
    doing = f"reading {topic}/{partition} at offset {offset}"
    while True:
        error: Exception = kafka.LeaderNotAvailableError(f"no leader is known for {topic}/{partition}")
        try:
            await link.open()
            node = next(iter(link.leaders(topic, [partition])))
            if node is not None:
                request = Fetch(topic, [(partition, offset)], wait=0, each=size, all=size)
                for chunk in chunks(await link.send(node, request), {partition: offset}):
                    if chunk.code == OUT_OF_RANGE or (chunk.data and not chunk.code):
                        return chunk
                    error = kafka.for_code(chunk.code)(f"{topic}/{partition}")
                    if chunk.code in NOT_AUTHORISED:
                        raise unreachable(doing, link.settings.url, error)
                    if not chunk.code:
                        if offset >= (await link.ends(topic, [partition]))[partition].next:
                            return chunk
                        error = kafka.KafkaError("the broker gives no record there")
        except (kafka.KafkaError, OSError) as e:
            error = e
        if time.monotonic() + backoff > deadline:
            raise unreachable(doing, link.settings.url, error) from error
        await asyncio.sleep(backoff)
        backoff = min(2 * backoff, LAST_BACKOFF)
        await link.refresh()
