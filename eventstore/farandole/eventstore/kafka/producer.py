"""Appending: an idempotent producer that is thrown away whenever what it did is in doubt.

Each partition has a lane: a queue, and one batch in flight. While that one is on its way, further appends collect and
share the next (group commit). So order within a partition is the order of the calls, whatever the client does.

The client never gives a batch of an idempotent producer up, and after some errors its sequence numbers are wrong for
good. So the time limit is ours: when it passes, or an error leaves doubt, the producer is *abandoned*: its sending
task is ended and its connections are closed before anything else is sent, so it cannot deliver old records after
newer ones. Whatever was in flight is then unknown to its callers; appends that were still waiting go out in order
through the next producer, also those to the same partition. A lane does not wait for its unknown records to be
appended again, for their caller may have gone.

Transactions are not used, so the client's checks by ``assert``, which ``python -O`` removes, do not matter here.
"""

import asyncio
from collections.abc import Sequence

from farandole.eventstore.contract import Record
from farandole.eventstore.errors import AppendUnknown, StoreUnavailable

from .batches import Waiting, max_record, measure
from .brokertime import BrokerTime
from .lane import Lane, closed
from .link import FIRST_BACKOFF, LAST_BACKOFF, end
from .quiet import log
from .session import GRACE, Session
from .settings import KafkaSettings
from .stats import Stats


class Producer:
    """Appends to the topics of one choreography.

    Args:
        settings: how to reach the cluster, and how long an append may take.
        sizes: the ``max.message.bytes`` of each topic.
        stats: where to count.
        clock: told of each acknowledged batch's append time.
    """

    def __init__(self, settings: KafkaSettings, sizes: dict[str, int], stats: Stats, clock: BrokerTime) -> None:
        self.settings = settings
        self._sizes = sizes
        self._stats = stats
        self._clock = clock
        self._lanes: dict[tuple[str, int], Lane] = {}
        self._current: Session | None = None
        self._opening: asyncio.Task[None] | None = None
        self._why: StoreUnavailable | None = None
        self._closed = False

    async def append(self, topic: str, partition: int, records: Sequence[Record]) -> int:
        """Append records in order and return the offset of the first. See `EventStore.append`."""
        if self._closed:
            raise closed(self.settings)
        if not records:
            raise ValueError("an append needs at least one record")
        room = self._sizes[topic]
        size = measure(records, max_record(room))
        lane = self._lanes.get((topic, partition))
        if lane is None:
            lane = self._lanes[topic, partition] = Lane(self, topic, partition, room)
        loop = asyncio.get_running_loop()
        waiting = Waiting(records, size, loop.time() + self.settings.append_timeout, loop.create_future())
        lane.add(waiting)
        return await waiting.done

    async def close(self) -> None:
        """Give what is in flight a moment, then fail it."""
        self._closed = True
        running = [lane.task for lane in self._lanes.values() if lane.task is not None]
        if running:
            await asyncio.wait(running, timeout=GRACE)
        for lane in self._lanes.values():
            await lane.close()
        if self._opening is not None:
            await end(self._opening)
        session, self._current = self._current, None
        if session is not None:
            await session.abandon()

    async def session(self, deadline: float) -> Session:
        """A working producer, made if there is none; all lanes wait for the same one.

        Raises:
            StoreError: there is none by the deadline (of the event loop's clock); nothing was sent.
        """
        while True:
            if self._closed:
                raise closed(self.settings)
            if (session := self._current) is not None and not session.broken:
                return session
            if self._opening is None or self._opening.done():
                self._opening = asyncio.ensure_future(self._open())
            left = deadline - asyncio.get_running_loop().time()
            await asyncio.wait([self._opening], timeout=max(left, 0))
            if self._opening.done() and not self._opening.cancelled():
                self._opening.result()
            elif left <= 0:
                raise self._why or StoreUnavailable(f"{self.settings.url} did not answer in time")

    async def _open(self) -> None:
        """Try until it works, unless trying on is of no use."""
        backoff = FIRST_BACKOFF
        while not self._closed:
            try:
                self._current = await Session.open(self.settings, max(self._sizes.values()))
                self._why = None
                return
            except StoreUnavailable as e:
                if self._why is None:
                    log.info("no producer yet: %s", e)
                self._why = e
            await asyncio.sleep(backoff)
            backoff = min(2 * backoff, LAST_BACKOFF)

    async def discard(self, session: Session) -> None:
        """Abandon a producer that is in doubt, once, whichever lane notices first."""
        if not session.broken:
            session.broken = True
            self._stats.producer_rebuilds += 1
            log.warning("the producer is in doubt and is built anew")
        await session.abandon()

    def count(self, records: int, size: int, sent: float, stamp: int) -> None:
        """Note an acknowledged batch."""
        self._stats.appended_records += records
        self._stats.appended_bytes += size
        self._stats.appended_batches += 1
        self._clock.acknowledged(sent, stamp)

    def failed(self, error: Exception) -> None:
        """Note a failed append."""
        if isinstance(error, AppendUnknown):
            self._stats.unknown += 1
        else:
            self._stats.not_appended += 1
