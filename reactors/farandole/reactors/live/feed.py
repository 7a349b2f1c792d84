"""What steps say, for many who look on: read once for all of them, and only while somebody does."""

import asyncio
import logging
import sys
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from farandole.eventstore import EventStore, PositionLost, Reader, StoreClosed, Stored, StoreError

log = logging.getLogger("farandole.client")

_WAIT: Final = 5.0
_RETRY: Final = 1.0
_MOST: Final = 10_000
"""Records that wait at most for one who is slow; then the oldest are lost."""
NOT_BEGUN: Final = sys.maxsize


class Listener:
    """One who looks on at one run.

    Attributes:
        since: what is heard was not said before this log time, milliseconds since 1970 UTC.
    """

    def __init__(self, key: bytes, partition: int, since: int) -> None:
        self.key = key
        self.partition = partition
        self.since = since
        self.next = NOT_BEGUN
        """The offset from which on nothing was heard yet. Until it is known where to begin all is left out: the reader,
        which is elsewhere for the sake of others, goes back to there."""
        self._waiting: deque[Stored] = deque(maxlen=_MOST)
        self._news = asyncio.Event()
        self._over: StoreError | None = None

    def hear(self, record: Stored) -> None:
        if record.offset >= self.next:
            self.next = record.offset + 1
            self._waiting.append(record)
            self._news.set()

    def end(self, why: StoreError) -> None:
        self._over = why
        self._news.set()

    def ready(self) -> list[Stored]:
        """What was heard since this was called last."""
        found = list(self._waiting)
        self._waiting.clear()
        if self._over is None:
            self._news.clear()
        return found

    async def news(self) -> None:
        """Wait until there is something.

        Raises:
            StoreClosed: there will never be.
        """
        await self._news.wait()
        if self._over is not None and not self._waiting:
            raise type(self._over)(*self._over.args)


class LiveFeed:
    """Hears what is said in one log."""

    def __init__(self, store: EventStore) -> None:
        self._store = store
        self._listeners: dict[bytes, list[Listener]] = {}
        self._reader: Reader | None = None
        self._reading: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def listening(self, run_id: bytes, since: int) -> AsyncIterator[Listener]:
        """Listen to what is said in a run.

        Args:
            since: what was said before is left out: log time, milliseconds since 1970 UTC.
        """
        listener = Listener(run_id, self._store.partition_of(run_id), since)
        self._listeners.setdefault(run_id, []).append(listener)
        joining = asyncio.ensure_future(self._join(listener))
        joining.add_done_callback(lambda done: self._broken(done, [listener]))
        try:
            yield listener
        finally:
            joining.cancel()
            listeners = self._listeners[run_id]
            listeners.remove(listener)
            if not listeners:
                del self._listeners[run_id]
            await asyncio.wait([joining])
            if not self._listeners:
                await self.close()

    async def close(self) -> None:
        """Hear nothing more, until somebody listens again."""
        reading, self._reading = self._reading, None
        reader, self._reader = self._reader, None
        if reading is not None:
            reading.cancel()
            await asyncio.wait([reading])
        if reader is not None:
            await reader.close()

    async def _join(self, listener: Listener) -> None:
        """Have the reader go back to where this listener begins; the others have heard that already."""
        begin = await self._begin(listener)
        if begin is None:
            return
        if self._reader is None:
            self._reader = self._store.live.reader()
        at = self._reader.positions
        self._reader.follow({**at, listener.partition: min(begin, at.get(listener.partition, begin))})
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read(self._reader), name="live feed")
            self._reading.add_done_callback(lambda done: self._broken(done, self._all()))

    async def _begin(self, listener: Listener) -> int | None:
        while True:
            try:
                begin = await self._store.live.since(listener.partition, listener.since)
            except StoreClosed as e:
                listener.end(e)
                return None
            except StoreError as e:
                log.info("what is said live cannot be heard now: %s", e)
                await asyncio.sleep(_RETRY)
            else:
                listener.next = begin
                return begin

    async def _read(self, reader: Reader) -> None:
        while True:
            try:
                for batch in await reader.read(wait=_WAIT):
                    for record in batch:
                        for listener in self._listeners.get(record.key or b"", ()):
                            listener.hear(record)
            except StoreClosed as e:
                for listener in self._all():
                    listener.end(e)
                return
            except PositionLost:
                await self._again(reader)
            except StoreError as e:
                log.info("what is said live cannot be heard now: %s", e)
                await asyncio.sleep(_RETRY)
                await self._again(reader)

    def _broken(self, done: "asyncio.Task[None]", listeners: list[Listener]) -> None:
        """Whoever waits for what will never come is told."""
        if done.cancelled() or (error := done.exception()) is None:
            return
        log.error("what is said live cannot be heard any more", exc_info=error)
        for listener in listeners:
            listener.end(StoreError(f"what is said live cannot be heard any more: {type(error).__name__}"))

    async def _again(self, reader: Reader) -> None:
        """Begin anew where each listener begins. What they have heard is known to whoever puts it together."""
        for listener in self._all():
            await self._begin(listener)
        begins: dict[int, int] = {}
        # Of those, too, who have joined meanwhile.
        for listener in self._all():
            if listener.next != NOT_BEGUN:
                begins[listener.partition] = min(listener.next, begins.get(listener.partition, listener.next))
        reader.follow(begins)

    def _all(self) -> list[Listener]:
        return [listener for listeners in self._listeners.values() for listener in listeners]
