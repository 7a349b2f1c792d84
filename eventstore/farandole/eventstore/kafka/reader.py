"""Reading partitions, with one fetch at each broker always on its way.

While the caller works on what it got, the next answer arrives. A partition is fetched again only when its last answer
was handed out, so no more than one answer a broker waits in memory.

Nothing is ever skipped: a position that is out of range is lost, for the caller to judge. After any trouble with a
partition, or a pause in reading, the record before the position is fetched again and compared with the one that was handed out; if it is
another, another log stands in its place.
"""

import asyncio
import random
import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from aiokafka import errors as kafka

from farandole.eventstore.contract import Reader, Stored
from farandole.eventstore.errors import PartitionCorrupt, PositionLost, StoreClosed, StoreError

from .failures import CORRUPT, NOT_AUTHORISED, OUT_OF_RANGE, told, unreachable
from .fetching import Fetch
from .link import FIRST_BACKOFF, LAST_BACKOFF, Link, end
from .quiet import log
from .records import Chunk, chunks, unpack
from .stats import Stats

LONG_POLL: Final = 0.2
"""Seconds that a broker holds a fetch while there is nothing new. A newly followed partition waits that long at most."""
AT_ONCE: Final = 1024 * 1024
"""Bytes that one `read` unpacks at most, so that it does not hold up the event loop."""
IN_ALL: Final = 4
"""How many full answers of single partitions one answer of a broker may hold."""
PAUSE = 1.0
"""Seconds without any answer after which another log could have come unnoticed."""
STALLED: Final = 5.0
"""Seconds after which a partition that has records, but gives none, gets new connections."""


class KafkaReader(Reader):
    """Reads partitions of one topic, each from a place of its own.

    Args:
        link: a line to the cluster of the reader's own; closed with it.
        topic: the topic.
        stats: where to count.
    """

    def __init__(self, link: Link, topic: str, stats: Stats) -> None:
        self._link = link
        self._topic = topic
        self._stats = stats
        self._next: dict[int, int] = {}
        self._last: dict[int, Stored] = {}
        self._doubtful: set[int] = set()
        self._ready: deque[Chunk] = deque()
        self._tasks: dict[asyncio.Task[list[Chunk]], frozenset[int]] = {}
        self._busy: set[int | None] = set()
        self._backoff = FIRST_BACKOFF
        self._trouble: dict[int, tuple[float, Exception]] = {}
        self._lost: StoreError | None = None
        self._rebuilds = link.rebuilds
        self._heard = time.monotonic()
        self.closed = False
        self._ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def follow(self, positions: Mapping[int, int]) -> None:
        """Read these partitions from these offsets on, and no others. See `Reader.follow`."""
        moved = {p for p in {*positions, *self._next} if positions.get(p) != self._next.get(p)}
        for partition in moved:
            self._last.pop(partition, None)
            self._doubtful.discard(partition)
        if moved:
            self._ready = deque(chunk for chunk in self._ready if chunk.partition not in moved)
        self._next = dict(positions)
        self._lost = None
        self._trouble.clear()

    @property
    def positions(self) -> Mapping[int, int]:
        """See `Reader.positions`. A control batch, which a transaction left, is an offset without a record."""
        return self._next

    async def read(self, *, wait: float = 0.5) -> list[Sequence[Stored]]:
        """The next records, a batch for each partition that has some. See `Reader.read`."""
        deadline = time.monotonic() + wait
        while True:
            self._check()
            if self._ready:
                found = self._hand_out()
                self._launch()
                if found:
                    return found
                continue
            self._launch()
            left = deadline - time.monotonic()
            if left <= 0:
                return []
            # Never with a cancel: an answer on its way stays on its way.
            awaited: list[asyncio.Future[Any]] = [self._ended, *self._tasks]
            done, _ = await asyncio.wait(awaited, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            if not self.closed:
                for task in self._tasks.keys() & done:
                    del self._tasks[task]
                    self._ready.extend(task.result())

    async def close(self) -> None:
        """Stop reading. Safe to call twice."""
        self.closed = True
        if not self._ended.done():
            self._ended.set_result(None)
        tasks = list(self._tasks)
        await self._link.close()
        await asyncio.gather(*(end(task) for task in tasks))
        self._tasks.clear()

    def _check(self) -> None:
        if self.closed:
            raise StoreClosed(f"the reader of {self._topic} was closed: take a new one from an open store")
        if self._lost is not None:
            raise self._lost
        if not self._trouble:
            return
        now = time.monotonic()
        for partition, (since, error) in self._trouble.items():
            if now - since > self._link.settings.patience:
                # The next call tries on, and waits as long again before it says so again.
                self._trouble[partition] = (now, error)
                raise unreachable(f"reading {self._topic}/{partition}", self._link.settings.url, error)

    def _hand_out(self) -> list[Sequence[Stored]]:
        found: list[Sequence[Stored]] = []
        size = 0
        while self._ready and size < AT_ONCE:
            chunk = self._ready.popleft()
            partition = chunk.partition
            if not self._current(chunk):
                continue
            size += len(chunk.data)
            try:
                records, following = unpack(self._topic, chunk)
                if partition in self._doubtful:
                    records = self._verified(partition, records)
            except StoreError:
                if not found:
                    raise
                # What was unpacked before it counts as handed out: it goes first, and the error is met again.
                self._ready.appendleft(chunk)
                return found
            self._next[partition] = following
            if records:
                self._last[partition] = records[-1]
                self._stats.read_records += len(records)
                self._stats.read_batches += 1
                found.append(records)
        return found

    def _current(self, chunk: Chunk) -> bool:
        """Whether a chunk is what follows in a partition; not after `follow` has moved it."""
        at = self._next.get(chunk.partition)
        return at is not None and chunk.offset == self._place(chunk.partition, at)

    def _place(self, partition: int, at: int) -> int:
        """Where to fetch from: the record handed out last, if it must be compared, else what follows."""
        return self._last[partition].offset if partition in self._doubtful else at

    def _verified(self, partition: int, records: list[Stored]) -> list[Stored]:
        before = self._last[partition]
        # A log that lost its tail, or was made anew, may have grown past the position again with other records.
        if not records or records[0] != before:
            self._lost = PositionLost(
                f"{self._topic}/{partition} is another log now: it has another record at offset {before.offset}, which "
                "was read before. Restore from the start; was the topic deleted, or did an unclean election lose data?"
            )
            raise self._lost
        self._doubtful.discard(partition)
        return records[1:]

    def _launch(self) -> None:
        """Send a fetch to every broker that has none on its way and leads a partition that wants one."""
        waiting = {chunk.partition for chunk in self._ready}.union(*self._tasks.values())
        wanted = [partition for partition in self._next if partition not in waiting]
        if not wanted:
            return
        if time.monotonic() - self._heard > PAUSE:
            self._doubtful.update(p for p in wanted if p in self._last)
        for node, partitions in self._link.leaders(self._topic, wanted).items():
            if node not in self._busy:
                self._busy.add(node)
                # Whoever stands first in a request is served first.
                first = random.randrange(len(partitions))  # noqa: S311
                partitions = partitions[first:] + partitions[:first]
                places = {p: self._place(p, self._next[p]) for p in partitions}
                self._tasks[asyncio.ensure_future(self._fetch(node, places))] = frozenset(places)

    async def _fetch(self, node: int | None, places: dict[int, int]) -> list[Chunk]:
        try:
            if not self._link.connected:
                await self._link.open()
                return []
            if node is None:
                raise kafka.LeaderNotAvailableError(f"no leader is known for {self._topic}")
            each = self._link.settings.fetch_bytes
            request = Fetch(self._topic, places.items(), wait=LONG_POLL, each=each, all=IN_ALL * each)
            found = chunks(await self._link.send(node, request), places)
            self._heard = time.monotonic()
            bad = [chunk for chunk in found if not await self._good(chunk)]
            if bad:
                await self._recover()
            else:
                self._backoff = FIRST_BACKOFF
            return [chunk for chunk in found if chunk.data and not chunk.code]
        except (kafka.KafkaError, OSError, StoreError) as e:
            self._note(places, e)
            self._doubtful.update(p for p in places if p in self._last)
            await self._recover()
            return []
        finally:
            self._busy.discard(node)

    async def _good(self, chunk: Chunk) -> bool:
        partition, topic = chunk.partition, self._topic
        if not chunk.code and (chunk.data or not (chunk.high_water > chunk.offset or partition in self._doubtful)):
            self._trouble.pop(partition, None)
            return True
        if not self._current(chunk):
            return True
        error = kafka.for_code(chunk.code)(f"{topic}/{partition} at offset {chunk.offset}")
        if not chunk.code:
            self._note([partition], kafka.KafkaError(f"{topic}/{partition} gives no record at {chunk.offset}"))
            if time.monotonic() - self._trouble[partition][0] > STALLED:
                await self._judge(chunk)
                await self._link.renew()
        elif chunk.code == OUT_OF_RANGE:
            await self._judge(chunk)
        elif chunk.code in NOT_AUTHORISED:
            self._lost = unreachable(f"reading {topic}", self._link.settings.url, error)
        elif chunk.code == CORRUPT:
            self._lost = PartitionCorrupt(
                f"{topic}/{partition} is corrupt at offset {chunk.offset} at the broker: nothing was skipped; restore "
                "the segment from a replica or a backup",
                partition,
            )
        else:
            self._note([partition], error)
            if partition in self._last:
                self._doubtful.add(partition)
        return False

    async def _judge(self, chunk: Chunk) -> None:
        """Find out whether a place that gives nothing is still in the log."""
        ends = (await self._link.ends(self._topic, [chunk.partition]))[chunk.partition]
        if not self._current(chunk):
            return
        at = self._next[chunk.partition]
        if not ends.first <= at <= ends.next:
            self._lost = PositionLost(
                f"{self._topic}/{chunk.partition} has the offsets {ends.first} to {ends.next}, and {at} was asked for: "
                "restore from a checkpoint or from the start"
            )
        elif chunk.offset < ends.first:
            # Only what lies before the position was deleted, as archiving does.
            self._doubtful.discard(chunk.partition)

    def _note(self, partitions: Iterable[int], error: Exception) -> None:
        if not self._trouble:
            log.info("reading %s meets trouble: %s", self._topic, told(error))
        now = time.monotonic()
        for partition in partitions:
            self._trouble[partition] = (self._trouble.get(partition, (now,))[0], error)

    async def _recover(self) -> None:
        await asyncio.sleep(self._backoff)
        self._backoff = min(2 * self._backoff, LAST_BACKOFF)
        try:
            await self._link.refresh()
        except StoreError as e:
            log.debug("no broker answers: %s", e)
        self._stats.reader_rebuilds += self._link.rebuilds - self._rebuilds
        self._rebuilds = self._link.rebuilds
