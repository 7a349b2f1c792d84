"""Group commit: all appends that wait while a transaction is under way go into the next one together."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import Final, NamedTuple

from farandole.eventstore.contract import Record, Stored
from farandole.eventstore.errors import AppendUnknown, StoreError

from .log import NewBatch, Placed
from .packing import pack
from .tail import Tail

_GROUP_BYTES: Final = 4 << 20
_GROUP_APPENDS: Final = 2000
_BATCH_BYTES: Final = 1 << 18
_BATCH_RECORDS: Final = 1000


class _Append(NamedTuple):
    partition: int
    records: Sequence[Record]
    packed: list[bytes]
    size: int
    done: "asyncio.Future[int]"


class Committer:
    """Takes appends in the order of the calls. One commit at a time is under way.

    Args:
        thread: where commits run.
        commit: writes batches in one transaction; raises a `StoreError` if it cannot.
        tail: is told of what was appended.
    """

    # Works by callbacks and not in a task, which somebody could cancel with all others.

    def __init__(
        self, thread: Executor, commit: Callable[[Sequence[NewBatch]], Mapping[int, Placed]], tail: Tail
    ) -> None:
        self._thread = thread
        self._commit = commit
        self._tail = tail
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[_Append] = deque()
        self._idle = asyncio.Event()
        self._idle.set()

    def append(self, partition: int, records: Sequence[Record]) -> "asyncio.Future[int]":
        """Queue records; the result is the offset of the first. Cancelling it changes nothing for the others."""
        packed = [pack(record) for record in records]
        append = _Append(partition, tuple(records), packed, sum(map(len, packed)), self._loop.create_future())
        self._waiting.append(append)
        if self._idle.is_set():
            self._idle.clear()
            self._loop.call_soon(self._start)  # so that other tasks that are about to append come along
        return append.done

    async def drain(self) -> None:
        """Wait until nothing is queued or under way."""
        await self._idle.wait()

    def _start(self) -> None:
        group = self._next_group()
        if not group:
            self._idle.set()
            return
        work = self._loop.run_in_executor(self._thread, self._commit, _batches(group))
        work.add_done_callback(partial(self._finish, group))

    def _finish(self, group: Sequence[_Append], work: "asyncio.Future[Mapping[int, Placed]]") -> None:
        error = None if work.cancelled() else work.exception()
        if work.cancelled() or error is not None:
            _fail(group, error)
        else:
            self._settle(group, work.result())
        self._start()

    def _next_group(self) -> list[_Append]:
        group: list[_Append] = []
        size = 0
        while self._waiting and (
            not group or (size + self._waiting[0].size <= _GROUP_BYTES and len(group) < _GROUP_APPENDS)
        ):
            append = self._waiting.popleft()
            if append.done.cancelled():
                continue  # nobody waits for it, and nothing was promised
            group.append(append)
            size += append.size
        return group

    def _settle(self, group: Sequence[_Append], placed: Mapping[int, Placed]) -> None:
        next = {partition: place.first for partition, place in placed.items()}
        stored: dict[int, list[Stored]] = {partition: [] for partition in placed}
        sizes = dict.fromkeys(placed, 0)
        for partition, records, _, size, done in group:
            first = next[partition]
            time = placed[partition].time
            stored[partition] += [
                Stored(partition, offset, time, r.key, r.value, tuple(r.headers))
                for offset, r in enumerate(records, first)
            ]
            next[partition] += len(records)
            sizes[partition] += size
            if not done.done():
                done.set_result(first)
        for partition, appended in stored.items():
            self._tail.appended(partition, appended, sizes[partition])


def _fail(group: Sequence[_Append], error: BaseException | None) -> None:
    for append in group:
        if append.done.done():
            continue
        if isinstance(error, StoreError):
            append.done.set_exception(type(error)(*error.args))
        else:
            append.done.set_exception(AppendUnknown(f"the commit broke off ({error!r}): append the same bytes again"))


def _batches(group: Sequence[_Append]) -> list[NewBatch]:
    """The group as rows of bounded size, in order within each partition."""
    found: list[NewBatch] = []
    open_: dict[int, list[bytes]] = {}
    sizes: dict[int, int] = {}

    def close(partition: int) -> None:
        packed = open_.pop(partition)
        found.append(NewBatch(partition, len(packed), b"".join(packed)))

    for append in group:
        partition = append.partition
        for packed in append.packed:
            waiting = open_.get(partition)
            if waiting and (sizes[partition] + len(packed) > _BATCH_BYTES or len(waiting) >= _BATCH_RECORDS):
                close(partition)
                waiting = None
            if waiting is None:
                open_[partition] = waiting = []
                sizes[partition] = 0
            waiting.append(packed)
            sizes[partition] += len(packed)
    for partition in list(open_):
        close(partition)
    return found
