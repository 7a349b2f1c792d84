"""Outcomes on their way to the log: one append in flight for each partition, everything that waits goes with the next.

What was handed in is appended in order. An append whose fate is unknown is repeated with the same bytes: the fold
refuses the second copy. It is never given up while the worker lives, because the step behind it was done.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from contextvars import copy_context

from farandole.eventstore import AppendUnknown, EventStore, NotAppended, Record, StoreUnavailable, TooLarge

log = logging.getLogger("farandole.outbox")

Entry = tuple[Sequence[Record], int, Callable[[TooLarge], None]]
"""Records of one append, their size in bytes, and what to do when the log never takes them."""

FIRST_WAIT, MOST_WAIT = 0.05, 5.0
"""Seconds between two tries to append."""


class Outbox:
    """Appends what steps made.

    Args:
        store: where to.
        most_bytes: above this much that waits, `room` waits.
    """

    def __init__(self, store: EventStore, *, most_bytes: int = 16 << 20) -> None:
        self._store = store
        self._most = most_bytes
        self._waiting: dict[int, deque[Entry]] = {}
        self._writers: dict[int, asyncio.Task[None]] = {}
        self._room = asyncio.Event()
        self._room.set()
        self.bytes = 0
        """How much waits or is in flight."""
        self.records = 0
        """Records acknowledged so far."""
        self._troubled: set[int] = set()
        self._broken: Exception | None = None
        self._context = copy_context()
        self._broke = asyncio.Event()

    def put(self, partition: int, records: Sequence[Record], size: int, refused: Callable[[TooLarge], None]) -> None:
        """Hand in the records of one append, ``size`` bytes in all. Returns at once.

        Args:
            refused: called if the log never takes them.
        """
        waiting = self._waiting.get(partition)
        if waiting is None:
            waiting = self._waiting[partition] = deque()
        waiting.append((records, size, refused))
        self.bytes += size
        if self.bytes > self._most:
            self._room.clear()
        if partition not in self._writers:
            writing = self._write(partition, waiting)
            # In no handler's context, for it goes on after the handler.
            self._writers[partition] = asyncio.get_running_loop().create_task(writing, context=self._context.copy())

    async def room(self) -> None:
        """Wait until there is room for more: the back-pressure on handlers while the log is slow or away."""
        await self._room.wait()

    @property
    def full(self) -> bool:
        return self.bytes > self._most

    async def flush(self) -> None:
        """Wait until all that was handed in is in the log."""
        while self._writers:
            await asyncio.wait(self._writers.values())

    async def failure(self) -> None:
        """Wait until something breaks that trying again does not mend, and raise it.

        Raises:
            StoreError: the log will not take what was made.
        """
        await self._broke.wait()
        if self._broken is not None:
            raise self._broken

    async def close(self) -> None:
        """Stop at once. What was not acknowledged may or may not be in the log."""
        writers = tuple(self._writers.values())
        for writer in writers:
            writer.cancel()
        await asyncio.gather(*writers, return_exceptions=True)

    async def _write(self, partition: int, waiting: deque[Entry]) -> None:
        try:
            while waiting:
                entries = tuple(waiting)
                waiting.clear()
                try:
                    await self._append(partition, [record for entry in entries for record in entry[0]])
                except TooLarge:
                    await self._one_by_one(partition, entries)
                self.bytes -= sum([entry[1] for entry in entries])
                if not self.full:
                    self._room.set()
        except Exception as e:
            self._broken = self._broken or e
            self._broke.set()
        finally:
            del self._writers[partition]

    async def _one_by_one(self, partition: int, entries: Sequence[Entry]) -> None:
        for records, _, refused in entries:
            try:
                await self._append(partition, records)
            except TooLarge as e:
                refused(e)

    async def _append(self, partition: int, records: Sequence[Record]) -> None:
        wait = FIRST_WAIT
        while True:
            try:
                await self._store.append(partition, records)
            except (NotAppended, AppendUnknown, StoreUnavailable) as e:
                if partition not in self._troubled:
                    self._troubled.add(partition)
                    log.warning(
                        "appends to partition %d fail, trying again: %s", partition, e, extra={"partition": partition}
                    )
                await asyncio.sleep(wait)
                wait = min(wait * 2, MOST_WAIT)
            else:
                if partition in self._troubled:
                    self._troubled.discard(partition)
                    log.info("appends to partition %d succeed again", partition, extra={"partition": partition})
                self.records += len(records)
                return
