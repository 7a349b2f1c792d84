"""A handle on a log in memory."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

from farandole.eventstore.clock import Clock
from farandole.eventstore.contract import Ends, EventStore, Record, Stored, Table
from farandole.eventstore.errors import PositionLost, StoreClosed, StoreMisconfigured
from farandole.eventstore.rejection import rejected_headers
from farandole.eventstore.sizes import MAX_RECORD_BYTES, check_partition, check_sizes
from farandole.eventstore.urls import options, without_secrets

from .live import MemoryLive
from .log import MemoryLog
from .ownership import MemoryMember
from .reader import MemoryReader

_SHARED: Final[dict[tuple[str, str], MemoryLog]] = {}
_TURN: Final = 64
"""After so many appends the event loop gets a turn, so that a loop of appends cannot hold it up."""


def open_memory(url: str, choreography: str, *, create: bool, partitions: int, clock: Clock) -> "MemoryStore":
    """Open ``memory://name``, which lives as long as the process, or ``memory://``, which nobody else can reach.

    Raises:
        StoreMisconfigured: the URL has more than a name; the log is not there and ``create`` is false; it has another
            number of partitions.
    """
    name, path = urlsplit(url).netloc, urlsplit(url).path
    options(url, {})
    if path.strip("/"):
        raise StoreMisconfigured(f"{without_secrets(url)}: a store in memory has a plain name, as memory://name")
    log = _SHARED.get((name, choreography)) if name else None
    if log is None:
        if not create:
            raise StoreMisconfigured(
                f"{without_secrets(url)} holds no choreography {choreography!r} in this process; "
                "open it with create=True first, under a name: memory://name"
            )
        log = MemoryLog(partitions)
        if name:
            log = _SHARED.setdefault((name, choreography), log)
    if create and len(log.partitions) != partitions:
        raise StoreMisconfigured(
            f"the log of {choreography!r} has {len(log.partitions)} partitions, not {partitions}; the number is fixed "
            f"when a log is made. Say partitions={len(log.partitions)}, or use another choreography name"
        )
    return MemoryStore(log, f"memory://{name}", choreography, clock)


def forget(name: str) -> None:
    """Drop all logs of ``memory://name``; handles that are open keep theirs."""
    for key in [key for key in _SHARED if key[0] == name]:
        del _SHARED[key]


class MemoryStore(EventStore):
    """The reference for other kinds of store: what each method means, with nothing around it.

    Nothing survives the process. It may be used from one event loop at a time; other handles of the same log may live
    in other threads.
    """

    def __init__(
        self, log: MemoryLog, url: str, choreography: str, clock: Clock, max_record_bytes: int = MAX_RECORD_BYTES
    ) -> None:
        self.log = log
        self.url = url
        self.partitions = len(log.partitions)
        self.max_record_bytes = max_record_bytes
        self.closed = False
        self.joined: set[MemoryMember] = set()
        self._choreography = choreography
        self._clock = clock
        self._appends = 0
        self._live = MemoryLive(log.live, clock, max_record_bytes, self.check_open)

    def __repr__(self) -> str:
        return f"<MemoryStore {self.url} {self._choreography}>"

    def check_open(self) -> None:
        if self.closed:
            raise StoreClosed(f"the store of {self._choreography!r} was closed; connect again to use it")

    async def append(self, partition: int, records: Sequence[Record]) -> int:
        self.check_open()
        check_partition(partition, self.partitions)
        check_sizes(records, self.max_record_bytes)
        first = self.log.append(partition, records, self._clock.now())
        self._appends += 1
        if self._appends % _TURN == 0:
            await asyncio.sleep(0)
        return first

    async def ends(self, partitions: Iterable[int]) -> Mapping[int, Ends]:
        self.check_open()
        await asyncio.sleep(0)
        held = self.log.partitions
        return {p: Ends(held[p].first, held[p].next) for p in partitions}

    async def fetch(self, partition: int, offsets: Sequence[int]) -> list[Stored]:
        self.check_open()
        log = self.log.partitions[partition]
        if any(not log.first <= offset < log.next for offset in offsets):
            raise PositionLost(
                f"partition {partition} holds offsets {log.first} to {log.next - 1}, not all of {list(offsets)[:20]}: "
                "this is another log, or it was cut off. Restore from the start"
            )
        await asyncio.sleep(0)
        return [log[offset - log.first] for offset in offsets]

    async def truncate(self, partition: int, before: int) -> None:
        self.check_open()
        check_partition(partition, self.partitions)
        self.log.truncate(partition, before)

    def reader(self) -> MemoryReader:
        self.check_open()
        return MemoryReader(self)

    def own(self, service: str, member: str | None = None) -> MemoryMember:
        return MemoryMember(self, service, member or self.log.member_name())

    async def members(self, service: str) -> frozenset[str]:
        self.check_open()
        return self.log.group(service).names

    async def reject(self, record: Stored, reason: str) -> None:
        self.check_open()
        headers = rejected_headers(record, reason, f"{self._choreography}.events")
        copy = record._replace(offset=len(self.log.rejected), time=self._clock.now(), headers=headers)
        self.log.rejected.setdefault((record.partition, record.offset), copy)

    async def rejected(self) -> AsyncIterator[Stored]:
        self.check_open()
        for record in list(self.log.rejected.values()):
            yield record

    @property
    def catalogue(self) -> Table:
        return _MemoryTable(self.log.catalogue, self.check_open, self.max_record_bytes)

    @property
    def checkpoints(self) -> Table:
        return _MemoryTable(self.log.checkpoints, self.check_open, self.max_record_bytes)

    @property
    def live(self) -> MemoryLive:
        return self._live

    async def now(self) -> int:
        self.check_open()
        return self._clock.now()

    async def close(self) -> None:
        self.closed = True
        for member in list(self.joined):
            member.leave(StoreClosed("the store of this member was closed"))
        self._live.close()
        self.log.bell.ring()


class _MemoryTable(Table):
    def __init__(self, entries: dict[bytes, bytes], check_open: Callable[[], None], most: int) -> None:
        self._entries = entries
        self._check_open = check_open
        self._most = most

    async def put(self, key: bytes, value: bytes | None) -> None:
        self._check_open()
        check_sizes([Record(key, value, ())], self._most)
        if value is None:
            self._entries.pop(key, None)
        else:
            self._entries[key] = value

    async def load(self) -> Mapping[bytes, bytes]:
        self._check_open()
        return MappingProxyType(self._entries.copy())

    async def scan(self, prefix: bytes) -> Mapping[bytes, bytes]:
        return {key: value for key, value in (await self.load()).items() if key.startswith(prefix)}
