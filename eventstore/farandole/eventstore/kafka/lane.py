"""The appends to one partition: a queue, and one batch in flight."""

import asyncio
import contextlib
import time
from collections import deque
from typing import Any, Protocol

from aiokafka import TopicPartition
from aiokafka import errors as kafka

from farandole.eventstore.errors import AppendUnknown, NotAppended, StoreClosed, StoreError, StoreMisconfigured

from .batches import Waiting, fill
from .failures import refused, told
from .link import end
from .quiet import log
from .session import Session
from .settings import KafkaSettings


class Sessions(Protocol):
    """What a lane needs of the `Producer` that it belongs to."""

    settings: KafkaSettings

    async def session(self, deadline: float) -> Session:
        """A working producer, made if there is none."""
        ...

    async def discard(self, session: Session) -> None:
        """Abandon a producer that is in doubt."""
        ...

    def count(self, records: int, size: int, sent: float, stamp: int) -> None:
        """Note an acknowledged batch."""
        ...

    def failed(self, error: Exception) -> None:
        """Note a failed append."""
        ...


class Lane:
    """The appends to one partition.

    Args:
        producer: where sessions come from.
        topic: the topic.
        partition: the partition.
        room: the largest batch, in bytes.
    """

    def __init__(self, producer: Sessions, topic: str, partition: int, room: int) -> None:
        self.task: asyncio.Task[None] | None = None
        self._producer = producer
        self._topic = topic
        self._partition = partition
        self._room = room
        self._queue: deque[Waiting] = deque()
        self._taken: list[tuple[Waiting, int]] = []

    def add(self, waiting: Waiting) -> None:
        self._queue.append(waiting)
        if self.task is None:
            self.task = asyncio.ensure_future(self._run())

    async def close(self) -> None:
        if self.task is not None:
            await end(self.task)
        while self._queue:
            self._fail(self._queue.popleft(), closed(self._producer.settings))

    async def _run(self) -> None:
        try:
            while self._queue:
                await self._next_batch()
        except asyncio.CancelledError:
            for waiting, _ in self._taken:
                self._fail(waiting, AppendUnknown(f"{self._where} was closed while records were on their way to it"))
            raise
        except Exception as e:
            # A fault of ours or of the client must not leave callers waiting for ever.
            log.exception("appending to %s failed", self._where, extra={"partition": self._partition})
            for waiting in [*(each for each, _ in self._taken), *self._queue]:
                self._fail(waiting, AppendUnknown(f"the append to {self._where} failed ({told(e)})"))
            self._queue.clear()
        finally:
            self._taken = []
            self.task = None

    async def _next_batch(self) -> None:
        queue = self._queue
        loop = asyncio.get_running_loop()
        try:
            session = await self._producer.session(queue[0].deadline)
        except StoreError as e:
            # Nothing of the head was sent, unless it is larger than a batch and parts of it were.
            self._fail_expired(e, loop.time())
            return
        builder = session.producer.create_batch()
        self._taken = taken = fill(builder, queue, self._room)
        if not taken:
            return
        builder.close()
        size, sent = builder.size(), time.monotonic()
        try:
            stamp, offset = await self._send(session, builder)
        except StoreError as e:
            # Also after a plain refusal: the client counts the refused records in its sequence numbers.
            await self._producer.discard(session)
            for waiting, _ in taken:
                self._fail(waiting, e)
            if queue and queue[0] is taken[-1][0]:
                queue.popleft()
            return
        self._producer.count(builder.record_count(), size, sent, stamp)
        for waiting, count in taken:
            if not waiting.sent:
                waiting.first = offset
            waiting.sent += count
            offset += count
            if waiting.sent == len(waiting.records) and not waiting.done.done():
                waiting.done.set_result(waiting.first)

    async def _send(self, session: Session, builder: Any) -> tuple[int, int]:
        """Send a batch; its append time and the offset of its first record."""
        limit = self._producer.settings.append_timeout
        producer = session.producer
        try:
            async with asyncio.timeout(limit):
                future = await producer.send_batch(builder, self._topic, partition=self._partition)
        except (kafka.KafkaError, TimeoutError, AssertionError) as e:
            # Nothing was queued yet, but the client is of no use: it knows no such partition, or has given up.
            raise NotAppended(
                f"the append to {self._where} was not sent ({told(e)}): append again; `farandole doctor` checks the "
                "topic"
            ) from e
        if session.severed:
            # It was cut off while the client learned of the topic; this batch stays in its memory for ever.
            raise NotAppended(f"the append to {self._where} was not sent, for its producer ended: append again")
        batch = _batch(producer, self._topic, self._partition)
        session.in_flight.add(future)
        try:
            await asyncio.wait([future], timeout=limit)
        finally:
            session.in_flight.discard(future)
        if not future.done() or future.cancelled():
            how = "before its producer was given up" if future.cancelled() else f"within {limit:g} s"
            future.cancel()
            raise AppendUnknown(f"the append to {self._where} was not acknowledged {how}: append the same bytes again")
        if (error := future.exception()) is not None:
            raise refused(self._where, error, getattr(batch, "retry_count", None)) from error
        done = future.result()
        if done is None or done.offset < 0:
            raise AppendUnknown(
                f"the log has the append to {self._where}, but does not say where: append the same bytes again"
            )
        return done.timestamp, done.offset

    def _fail_expired(self, error: StoreError, now: float) -> None:
        queue = self._queue
        hopeless = isinstance(error, StoreClosed | StoreMisconfigured)
        while queue and (hopeless or queue[0].deadline <= now):
            waiting = queue.popleft()
            if isinstance(error, StoreClosed):
                self._fail(waiting, error)
            elif waiting.sent:
                self._fail(waiting, AppendUnknown(f"only a part of the append to {self._where} was sent ({error})"))
            else:
                self._fail(waiting, NotAppended(f"the append to {self._where} was not sent: {error}"))

    def _fail(self, waiting: Waiting, error: Exception) -> None:
        if waiting.done.done():
            return
        if waiting.sent and isinstance(error, NotAppended):
            error = AppendUnknown(f"only a part of the append to {self._where} is in the log ({error})")
        self._producer.failed(error)
        # A copy for each caller: an exception that several tasks raise collects the traceback of all.
        own = type(error)(*error.args)
        own.__cause__ = error.__cause__
        waiting.done.set_exception(own)

    @property
    def _where(self) -> str:
        return f"{self._topic}/{self._partition}"


def _batch(producer: Any, topic: str, partition: int) -> Any:
    """The batch just queued, which knows how often it was sent; None where the client hides it."""
    with contextlib.suppress(AttributeError, IndexError, TypeError):
        return producer._message_accumulator._batches.get(TopicPartition(topic, partition))[-1]
    return None


def closed(settings: KafkaSettings) -> StoreClosed:
    """The error of an append to a closed store."""
    return StoreClosed(f"the store {settings.url} was closed: open it again to append")
