"""The log itself: what all handles of one in-memory store share."""

import threading
from collections.abc import Sequence
from itertools import count

from farandole.eventstore.bell import Bell
from farandole.eventstore.contract import Record, Stored
from farandole.eventstore.shares import shares
from farandole.eventstore.sizes import beyond_the_end

from .held import Held
from .live import LiveLog
from .ownership import MemoryMember


class MemoryLog:
    """Partitions, tables, rejected records and groups of one choreography.

    Handles may live in several threads and event loops. Writers take the lock; readers need none, because a batch
    is added to its partition by one `list.extend`, and what is deleted is left out of a list that takes its place.
    """

    def __init__(self, partitions: int) -> None:
        self.partitions: list[Held] = [Held() for _ in range(partitions)]
        self.times = [0] * partitions
        self.catalogue: dict[bytes, bytes] = {}
        self.checkpoints: dict[bytes, bytes] = {}
        self.rejected: dict[tuple[int, int], Stored] = {}
        self.groups: dict[str, Group] = {}
        self.bell = Bell()
        self.live = LiveLog(partitions)
        self._names = count(1)
        self.lock = threading.Lock()

    def append(self, partition: int, records: Sequence[Record], now: int) -> int:
        """Add a batch, stamped with ``now`` or the last stamp if that is later; the offset of its first record."""
        with self.lock:
            log = self.partitions[partition]
            first = log.next
            self.times[partition] = time = max(now, self.times[partition])
            log.extend(
                [
                    Stored(partition, offset, time, record.key, record.value, tuple(record.headers))
                    for offset, record in enumerate(records, first)
                ]
            )
        self.bell.ring(partition)
        return first

    def truncate(self, partition: int, before: int) -> None:
        """Leave out the records below an offset."""
        with self.lock:
            log = self.partitions[partition]
            if before > log.next:
                raise beyond_the_end(partition, before, log.next)
            if before > log.first:
                self.partitions[partition] = Held(log[before - log.first :], before)

    def member_name(self) -> str:
        """A name that no other member has; not a random one, so that a simulation is the same each time."""
        return f"member {next(self._names)}"

    def group(self, service: str) -> "Group":
        with self.lock:
            return self.groups.setdefault(service, Group(len(self.partitions)))


class Group:
    """The members of one service, and who owns what. Partitions change hands at once."""

    def __init__(self, partitions: int) -> None:
        self._partitions = partitions
        self._members: dict[str, MemoryMember] = {}
        self._owners: dict[int, str] = {}
        self._lock = threading.Lock()

    @property
    def names(self) -> frozenset[str]:
        """Of all members."""
        with self._lock:
            return frozenset(self._members)

    def join(self, member: MemoryMember) -> None:
        """Take a member in. One that has its name already is put out, and what it owned is the new one's."""
        with self._lock:
            former = self._members.pop(member.name, None)
            self._members[member.name] = member
            if former is not None:
                former.put_out()
            self._deal()

    def leave(self, member: MemoryMember) -> None:
        with self._lock:
            if self._members.get(member.name) is member:
                del self._members[member.name]
                self._deal()

    def _deal(self) -> None:
        self._owners = shares(self._partitions, self._members, self._owners)
        for name, member in self._members.items():
            member.share(frozenset(p for p, owner in self._owners.items() if owner == name))
