"""What a log must do: the one interface that all event stores share.

A store holds the partitions of one choreography's events. It knows bytes, keys, headers, offsets and append times;
what the bytes mean is for the fold. Three guarantees carry everything above:

* **Order.** A partition is one sequence of offsets, the same for every reader, and never changes.
* **Batches.** The records of one `append` get ascending offsets in the order given, and all of them or none of them
  are read, as long as they fit one batch; larger appends are split, in order.
* **Log time.** Each record is stamped by the log when it is appended. Stamps may go back a little where a broker's
  clock does; `farandole.projections` takes the highest so far.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from farandole.schemas.envelope import Header
from farandole.schemas.schema_text import SchemaText

from .errors import StoreClosed
from .partitioner import partition_of

LIVE_KEPT: Final = 3_600_000
"""Milliseconds for which what is said live is kept, at least roughly."""


class Record(NamedTuple):
    """Bytes to append. Control records have no key."""

    key: bytes | None
    value: bytes | None
    headers: Sequence[Header]


class Stored(NamedTuple):
    """A record of the log, with its place and the time (milliseconds since 1970 UTC) at which the log took it."""

    partition: int
    offset: int
    time: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[Header]


class Ends(NamedTuple):
    """The offsets of the first record that a partition still holds, and of the next one to be appended."""

    first: int
    next: int


class Ownership(ABC):
    """A member's share of the partitions of one consumer group.

    Each partition belongs to at most one member that the group believes alive. That is a hint for who should work, and
    never a lock: a member that was taken for dead may go on for a while. Use as an async context manager. A member
    without a stable name gives all partitions back when it leaves, so that others need not wait for a time-out; for one
    with a stable name the group may keep them until its session ends, so that a restart moves nothing.
    """

    @property
    @abstractmethod
    def owned(self) -> frozenset[int]:
        """The partitions owned now."""

    @abstractmethod
    async def changed(self) -> frozenset[int]:
        """Wait until `owned` differs from what this method returned last (at first: from nothing), and return it.

        Raises:
            StoreError: the group cannot be kept up and will not recover by itself.
        """

    @abstractmethod
    async def __aenter__(self) -> "Ownership": ...

    @abstractmethod
    async def __aexit__(self, *exc: object) -> None: ...


class Reader(ABC):
    """One reader's place in each of some partitions. Not for use by two tasks at once."""

    @abstractmethod
    def follow(self, positions: Mapping[int, int]) -> None:
        """Read these partitions from these offsets on, and no others.

        Partitions that were followed before and are named with the offset that comes next go on undisturbed.
        """

    @property
    @abstractmethod
    def positions(self) -> Mapping[int, int]:
        """The offset that comes next in each followed partition. It passes over offsets that hold no record."""

    @abstractmethod
    async def read(self, *, wait: float = 0.5) -> list[Sequence[Stored]]:
        """The next records: one batch for each partition that has some, each in order.

        Args:
            wait: seconds to wait while there is nothing to read; then the result is empty.

        Raises:
            PositionLost: the log holds a followed position no longer, or is another log.
            PartitionCorrupt: what follows in one partition is damaged; the others go on once `follow` leaves it out.
            StoreUnavailable: the log could not be reached for longer than the store's own patience.
            StoreClosed: the store was closed.
        """

    @abstractmethod
    async def close(self) -> None: ...


class Table(ABC):
    """A small compacted map in the log: the catalogue, the checkpoints."""

    @abstractmethod
    async def put(self, key: bytes, value: bytes | None) -> None:
        """Set a key, or remove it (None). Returns when the log has it.

        Raises:
            AppendError: as for `EventStore.append`. Putting again is always safe.
        """

    @abstractmethod
    async def load(self) -> Mapping[bytes, bytes]:
        """All that is in the map: everything whose `put` returned before this call, by whichever process."""

    @abstractmethod
    async def scan(self, prefix: bytes) -> Mapping[bytes, bytes]:
        """Of what `load` gives, the keys that begin so; nothing more is kept in memory, now or later."""

    async def pick(self, keys: Collection[bytes]) -> Mapping[bytes, bytes]:
        """Of what `load` gives, these keys; nothing more is kept in memory, now or later."""
        everything = await self.scan(b"")
        return {key: everything[key] for key in keys if key in everything}

    def part(self, prefix: bytes) -> "Table":
        """The keys that begin so, as a map by itself, for whoever loads it again and again: what was loaded once may be
        kept, so that a load reads only what is new.
        """
        return _Part(self, prefix)


class _Part(Table):
    """Loads by scanning."""

    def __init__(self, table: Table, prefix: bytes) -> None:
        self._table = table
        self._prefix = prefix

    async def put(self, key: bytes, value: bytes | None) -> None:
        await self._table.put(key, value)

    async def load(self) -> Mapping[bytes, bytes]:
        return await self._table.scan(self._prefix)

    async def scan(self, prefix: bytes) -> Mapping[bytes, bytes]:
        return {key: value for key, value in (await self.load()).items() if key.startswith(prefix)}


class Live(ABC):
    """What steps at work say while they are at it: kept for an hour beside the log, and never a part of it.

    All of it is best effort: it may be lost, and nothing that counts waits for it or fails with it. As in the log, a
    partition is one sequence of offsets, and an append keeps its order. Offsets may begin anew where all was lost.
    """

    @abstractmethod
    async def append(self, partition: int, records: Sequence[Record]) -> None:
        """Keep records for a while; the key of each is its run's id.

        Raises:
            ValueError: there is no record, or no such partition.
            TooLarge: a record is larger than the log takes; none is kept.
            StoreError: perhaps they are not kept.
        """

    @abstractmethod
    async def since(self, partition: int, time: int) -> int:
        """The offset of the first record that is kept and was not taken before ``time`` (log time, milliseconds since
        1970 UTC); where there is none, of the next one to be appended.

        Raises:
            StoreUnavailable: it cannot be reached.
        """

    @abstractmethod
    def reader(self) -> Reader:
        """A new reader, which follows nothing yet. Where it raises `PositionLost`, ask `since` again."""


class NotKept(Live):
    """Of a log that keeps nothing of the kind: all that is said is lost at once."""

    async def append(self, partition: int, records: Sequence[Record]) -> None:
        pass

    async def since(self, partition: int, time: int) -> int:
        return 0

    def reader(self) -> Reader:
        return _Silence()


class _Silence(Reader):
    """Finds nothing."""

    def __init__(self) -> None:
        self._positions: Mapping[int, int] = {}
        self._closed = False

    def follow(self, positions: Mapping[int, int]) -> None:
        self._positions = dict(positions)

    @property
    def positions(self) -> Mapping[int, int]:
        return self._positions

    async def read(self, *, wait: float = 0.5) -> list[Sequence[Stored]]:
        if self._closed:
            raise StoreClosed("this reader was closed; make another with live.reader()")
        await asyncio.sleep(wait)
        return []

    async def close(self) -> None:
        self._closed = True


class EventStore(ABC):
    """The log of one choreography. Made by `farandole.eventstore.connect`; use as an async context manager."""

    url: str
    """Where the log is, without secrets."""
    partitions: int
    """How many partitions the log has; fixed when it is created."""
    max_record_bytes: int
    """The largest record (key, value and headers) that `append` takes."""
    registry: str | None = None
    """The schema registry, without secrets, whose numbers the values of this log bear; None: they bear none."""

    def partition_of(self, key: bytes) -> int:
        """The partition of a run id: Kafka's default partitioner (murmur2), so that any client can start a run."""
        return partition_of(key, self.partitions)

    async def introduce(self, schemas: Sequence[SchemaText]) -> None:  # noqa: B027  # most logs have nobody to ask
        """Bring schemas to whoever must have them before values of them are appended: the schema registry, if any.

        Raises:
            SchemaUnavailable: it cannot be reached now, and does not have them all. `append` would wait for it as well.
            StoreMisconfigured: its settings are wrong.
            RegistryRefused: it refuses one. The message names the subject and the cure.
        """

    def lacks(self, schemas: Collection[bytes]) -> bool:
        """Whether values of one of these schemas (fingerprints) cannot be appended before `introduce` brought it."""
        return False

    async def explain(self, record: Stored) -> None:  # noqa: B027  # likewise
        """Bring the schema of a value that another program wrote into the catalogue, if only a registry has it.

        Raises:
            SchemaUnavailable: the registry cannot be reached now.
            StoreMisconfigured: its settings are wrong.
            UndecodableValue: it has no such schema, or none of such an event.
        """

    @abstractmethod
    async def append(self, partition: int, records: Sequence[Record]) -> int:
        """Append records to a partition, in order, and return the offset of the first.

        Appends of several tasks to one partition may share a batch (group commit) and are taken in the order of the
        calls. Cancelling the call leaves the fate of the append unknown.

        Raises:
            NotAppended: certainly not in the log.
            AppendUnknown: perhaps in the log; append the same bytes again.
            TooLarge: a record is larger than `max_record_bytes`.
            RegistryRefused: the schema registry refuses the schema of a value; nothing was appended.
            StoreClosed: the store was closed.
        """

    @abstractmethod
    async def ends(self, partitions: Iterable[int]) -> Mapping[int, Ends]:
        """The first and the next offset of each partition, as of this call.

        Raises:
            StoreUnavailable: the log cannot be reached.
        """

    @abstractmethod
    async def fetch(self, partition: int, offsets: Sequence[int]) -> list[Stored]:
        """The records at these ascending offsets, for values that are needed again.

        Raises:
            PositionLost: one of them is no longer, or not yet, in the log.
            StoreUnavailable: the log cannot be reached.
        """

    @abstractmethod
    async def truncate(self, partition: int, before: int) -> None:
        """Delete the records of a partition below an offset, for ever. Offsets stay as they are.

        Afterwards `ends` begins at ``before``, and what lies below it is lost (`PositionLost`) to whoever reads from
        there; a reader in this or another process that is just there may still be handed some. Doing it again, or with
        a lower offset, does nothing.

        Raises:
            ValueError: ``before`` lies beyond the end; nothing was deleted.
            StoreMisconfigured: this user may not delete records.
            StoreUnavailable: the log cannot be reached; whether records were deleted is not known, so do it again.
        """

    @abstractmethod
    def reader(self) -> Reader:
        """A new reader, which follows nothing yet."""

    @abstractmethod
    def own(self, service: str, member: str | None = None) -> Ownership:
        """Join the consumer group of a service.

        Args:
            service: the service's name; the group is ``<choreography>.<service>``.
            member: a stable name for this process (static membership). A process that comes back under its name within
                the session time-out gets its partitions back at once.
        """

    @abstractmethod
    async def members(self, service: str) -> frozenset[str] | None:
        """Who is in the consumer group of a service: one name for each process, or None if this user may not know.

        Those that the group believes alive: one that died without leaving is among them until its session ends.

        Raises:
            StoreUnavailable: the log cannot be reached.
        """

    @abstractmethod
    async def reject(self, record: Stored, reason: str) -> None:
        """Copy a record that could not be read to the topic ``<choreography>.rejected``, once for each offset.

        Two processes that copy the same record at the same moment may leave two equal copies in a topic of Kafka's, of
        which `rejected` gives the first. Key, value and headers stay as they are; the reason, topic, partition and
        offset are added as headers.
        """

    @abstractmethod
    def rejected(self) -> AsyncIterator[Stored]:
        """All records in ``<choreography>.rejected`` so far, each once."""

    @property
    @abstractmethod
    def catalogue(self) -> Table:
        """Schemas, services and schedules of the choreography."""

    @property
    @abstractmethod
    def checkpoints(self) -> Table:
        """Whole fold states."""

    @property
    def live(self) -> Live:
        """What steps say while they are at work."""
        return NotKept()

    @abstractmethod
    async def now(self) -> int:
        """The log's clock, in milliseconds since 1970 UTC, as nearly as can be told without appending."""

    @abstractmethod
    async def close(self) -> None:
        """Finish or fail what is in flight and let go of everything. Calls after that raise `StoreClosed`."""

    async def __aenter__(self) -> "EventStore":
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()
