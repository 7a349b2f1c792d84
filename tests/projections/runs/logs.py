"""A log of any records, as a store would give it: it can grow, be checkpointed, cut off, and be away."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any

from tests.projections.fold.checkpointing import CHUNK

from farandole.eventstore import Ends, EventStore, PositionLost, Reader, Stored, StoreUnavailable, Table
from farandole.projections.fold import Fold
from farandole.projections.fold.checkpoint import Saver
from farandole.schemas.envelope import unpack


class Entries(Table):
    """A map."""

    def __init__(self) -> None:
        self.all: dict[bytes, bytes] = {}

    async def put(self, key: bytes, value: bytes | None) -> None:
        self.all[key] = value or b""

    async def load(self) -> Mapping[bytes, bytes]:
        return dict(self.all)

    async def scan(self, prefix: bytes) -> Mapping[bytes, bytes]:
        return {key: value for key, value in self.all.items() if key.startswith(prefix)}


class RecordedLog(EventStore):
    """What a projector needs of a store, over records that are given.

    Args:
        at_once: how many records one read gives at most.
    """

    url = "recorded://"
    max_record_bytes = 1 << 20

    def __init__(self, records: Iterable[Stored] = (), partitions: int = 2, at_once: int = 50) -> None:
        self.partitions = partitions
        self.at_once = at_once
        self.first = dict.fromkeys(range(partitions), 0)
        self.away = False
        self.followed: list[dict[int, int]] = []
        """From where each reader was to read."""
        self.tries = 0
        """How often somebody tried to reach it while it was away."""
        self._records: dict[int, list[Stored]] = {p: [] for p in range(partitions)}
        self._news = asyncio.Event()
        self._catalogue, self._checkpoints = Entries(), Entries()
        self.add(records)

    def add(self, records: Iterable[Stored]) -> None:
        """The log grows."""
        for record in records:
            self._records[record.partition].append(record)
        self._news.set()

    def of(self, partition: int) -> Sequence[Stored]:
        return self._records[partition]

    def checkpoint(self, partition: int, position: int) -> None:
        """Write a checkpoint of the records below an offset."""
        fold, append = Fold(partition, self.partitions), b""
        for record in self._records[partition]:
            if record.offset < position:
                out = fold.apply(record)
                append = b"" if out.envelope is None else unpack(record.headers).append
        saver = Saver(fold, append, CHUNK)
        while not saver.work(1000):
            pass
        self._checkpoints.all |= {**dict(saver.take()), saver.manifest.key: saver.manifest.encode()}

    def cut(self, partition: int, first: int) -> None:
        """What lies below an offset is gone."""
        self.first[partition] = first
        self._records[partition] = [r for r in self._records[partition] if r.offset >= first]

    async def ends(self, partitions: Iterable[int]) -> Mapping[int, Ends]:
        self._reached()
        return {p: Ends(self.first[p], self._next(p)) for p in partitions}

    async def fetch(self, partition: int, offsets: Sequence[int]) -> list[Stored]:
        self._reached()
        found = {r.offset: r for r in self._records[partition]}
        if missing := [offset for offset in offsets if offset not in found]:
            raise PositionLost(f"no record at {missing[0]}")
        return [found[offset] for offset in offsets]

    def reader(self) -> Reader:
        return _Reader(self)

    @property
    def catalogue(self) -> Entries:
        return self._catalogue

    @property
    def checkpoints(self) -> Entries:
        return self._checkpoints

    def _next(self, partition: int) -> int:
        records = self._records[partition]
        return records[-1].offset + 1 if records else self.first[partition]

    def _reached(self) -> None:
        if self.away:
            self.tries += 1
            raise StoreUnavailable("the log is away")

    async def now(self) -> int:
        return 0

    async def close(self) -> None: ...

    async def append(self, *_: Any) -> int:
        raise NotImplementedError

    async def truncate(self, *_: Any) -> None:
        raise NotImplementedError

    def own(self, *_: Any) -> Any:
        raise NotImplementedError

    async def members(self, service: str) -> frozenset[str] | None:
        return None

    async def reject(self, record: Stored, reason: str) -> None:
        raise NotImplementedError

    def rejected(self) -> AsyncIterator[Stored]:
        raise NotImplementedError


class _Reader(Reader):
    def __init__(self, log: RecordedLog) -> None:
        self._log = log
        self._at: dict[int, int] = {}

    def follow(self, positions: Mapping[int, int]) -> None:
        self._at = dict(positions)
        self._log.followed.append(dict(positions))

    @property
    def positions(self) -> Mapping[int, int]:
        return self._at

    async def read(self, *, wait: float = 0.5) -> list[Sequence[Stored]]:
        self._log._reached()
        found = self._found()
        if not found:
            self._log._news.clear()
            try:
                async with asyncio.timeout(wait):
                    await self._log._news.wait()
            except TimeoutError:
                return []
            found = self._found()
        for records in found:
            self._at[records[0].partition] = records[-1].offset + 1
        return found

    def _found(self) -> list[Sequence[Stored]]:
        found: list[Sequence[Stored]] = []
        for partition, at in self._at.items():
            if at < self._log.first[partition]:
                raise PositionLost(f"partition {partition} begins at {self._log.first[partition]}")
            records = [r for r in self._log.of(partition) if r.offset >= at][: self._log.at_once]
            if records:
                found.append(records)
        return found

    async def close(self) -> None: ...
