"""Records that nobody can read, thrown among the others, and what became of them."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import count
from random import Random
from typing import Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from checker import Examination
from checker.verdict import Verdict

BEFORE: Final = 8
"""Records before the first fault."""
EVERY: Final = 0.25
"""Seconds between two records."""
_PATIENCE: Final = 30.0


class Garbage:
    """Appends records with headers that are none, or torn, whatever becomes of the broker meanwhile.

    An async context manager; leaving it drops what the broker has not answered.

    Attributes:
        planted: values of the records whose append was acknowledged; no two are alike.
        unsure: values of those of which it is not known whether the log has them.
    """

    def __init__(self, bootstrap: str, choreography: str, partitions: int, random: Random) -> None:
        self.planted: list[bytes] = []
        self.unsure: list[bytes] = []
        self._bootstrap = bootstrap
        self._topic = f"{choreography}.events"
        self._partitions = partitions
        self._random = random
        self._numbers = count()
        self._throwing: asyncio.Task[None] | None = None
        self._sends: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "Garbage":
        # With a sequence, so that what is sent again after a lost answer stands in the log once.
        self._producer = AIOKafkaProducer(bootstrap_servers=self._bootstrap, enable_idempotence=True)
        await self._producer.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        tasks = [*self._sends, *([self._throwing] if self._throwing else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        with suppress(TimeoutError, KafkaError):
            await asyncio.wait_for(self._producer.stop(), _PATIENCE)

    async def throw(self, number: int) -> None:
        """Append so many, one after the other."""
        for _ in range(number):
            await self._append()

    def keep_throwing(self) -> None:
        """From now on append one after the other, until `rest`."""
        self._throwing = asyncio.create_task(self._throw())

    async def rest(self) -> None:
        """Append no more; returns when it is known of each whether the log has it, or that this is not to be known."""
        if self._throwing is not None:
            self._throwing.cancel()
            await asyncio.wait([self._throwing])
        if self._sends:
            await asyncio.wait(self._sends, timeout=_PATIENCE)

    def throw_now(self) -> None:
        """Append one more at once, if any are: so that harm that is soon over meets one, too."""
        if self._throwing is not None and not self._throwing.done():
            self._send()

    async def _throw(self) -> None:
        while True:
            self._send()
            await asyncio.sleep(EVERY)

    def _send(self) -> None:
        self._sends.add(sending := asyncio.create_task(self._append()))
        sending.add_done_callback(self._sends.discard)

    async def _append(self) -> None:
        value, headers = self._make()
        self.unsure.append(value)
        key, partition = self._random.randbytes(8), self._random.randrange(self._partitions)
        with suppress(KafkaError):
            await self._producer.send_and_wait(self._topic, value, key, partition, headers=headers)
            self.unsure.remove(value)
            self.planted.append(value)

    def _make(self) -> tuple[bytes, list[tuple[str, bytes]]]:
        value = self._random.randbytes(self._random.randrange(16, 2000))
        if next(self._numbers) % 2:
            return value, []
        return value, [("ce_id", b"1"), ("ce_type", b"x"), ("ce_source", b"/x"), ("fa", value[:40])]


def wrongly_there(planted: list[bytes], unsure: list[bytes], there: list[bytes]) -> Iterator[str]:
    """One line for what the log has of unreadable records, by their values, and what it should have."""
    counted = Counter(there)
    if lost := [value for value in planted if not counted[value]]:
        yield f"I10: {len(lost)} unreadable records of {len(planted)} were acknowledged, and are not there"
    if again := [value for value, times in counted.items() if times > 1]:
        yield f"I10: {len(again)} unreadable records are there more than once"
    if strange := counted.keys() - {*planted, *unsure}:
        yield f"I10: {len(strange)} records are unreadable that somebody else appended"


async def not_accounted_for(bootstrap: str, choreography: str, found: Examination) -> tuple[list[str], int]:
    """What `wrongly_copied` says of the rejected topic."""
    return wrongly_copied(found, await _rejected(bootstrap, choreography))


Copy = tuple[bytes | None, bytes | None, list[tuple[str, bytes]]]
"""Key, value and headers."""


def wrongly_copied(found: Examination, copies: Iterable[Copy]) -> tuple[list[str], int]:
    """Unreadable records of which there is no copy, byte for byte, and what else there is a copy of; one line each.

    Also how many copies there are beyond the first of each: two keepers that copy a record at the same moment leave two,
    for Kafka cannot refuse the second. Whoever reads them through a store is given the first.
    """
    originals = {
        (part.number, raw.offset): raw
        for part in found.partitions
        for raw, _, verdict in part.records
        if verdict is Verdict.UNREADABLE
    }
    copied: Counter[tuple[int, int]] = Counter()
    wrong = []
    for key, value, headers in copies:
        of = dict(headers)
        place = (int(of["fa_rejected_partition"]), int(of["fa_rejected_offset"]))
        copied[place] += 1
        original = originals.get(place)
        if original is None:
            wrong.append(f"I10: a readable record, {place}, was rejected")
        elif (original.key, original.value, list(original.headers)) != (key, value, headers[: len(original.headers)]):
            wrong.append(f"I10: the copy of {place} is not like the original")
    wrong += [f"I10: {place} is unreadable, and was not rejected" for place in originals.keys() - copied.keys()]
    return wrong, copied.total() - len(copied)


async def _rejected(bootstrap: str, choreography: str) -> list[Copy]:
    place = TopicPartition(f"{choreography}.rejected", 0)
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=None, enable_auto_commit=False)
    await consumer.start()
    try:
        consumer.assign([place])
        await consumer.seek_to_beginning(place)
        end = (await consumer.end_offsets([place]))[place]
        records = []
        while await consumer.position(place) < end:
            for messages in (await consumer.getmany(timeout_ms=200)).values():
                records += [(m.key, m.value, list(m.headers)) for m in messages]
        return records
    finally:
        await consumer.stop()
