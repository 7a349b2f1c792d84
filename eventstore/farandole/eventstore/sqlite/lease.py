"""Who of a group is alive, and who owns what: leases as rows. Calls block."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from farandole.eventstore.shares import shares


class Lease(NamedTuple):
    """A member's row."""

    name: str
    incarnation: str
    """Tells the processes apart that used the name one after the other."""
    until: int
    session: int


@dataclass(frozen=True, slots=True)
class View:
    """A group as it stands in the file."""

    leases: Mapping[str, Lease]
    owners: Mapping[int, str]

    def alive(self, wall: int) -> frozenset[str]:
        """The members whose lease has not ended at a time in milliseconds since 1970 UTC, as far as one look can tell."""
        return frozenset(name for name, lease in self.leases.items() if lease.until >= wall)


class Watch:
    """Tells which leases have lapsed, by what one process saw of them.

    Wall clocks jump. So a lease that was seen to be renewed has lapsed only when it was not renewed for a whole
    session of this process's own steady time; and one with an end in the far future lapses in the same way. Only what
    was never seen to move is judged by the end that it names, so that a group that died yesterday delays nobody today.
    """

    def __init__(self) -> None:
        self._seen: dict[str, tuple[Lease, float, bool]] = {}

    def lapsed(self, view: View, wall: int, steady: float) -> frozenset[Lease]:
        """The leases that have lapsed.

        Args:
            view: the group now.
            wall: milliseconds since 1970 UTC.
            steady: seconds of a clock that never jumps.
        """
        seen: dict[str, tuple[Lease, float, bool]] = {}
        found: set[Lease] = set()
        for name, lease in view.leases.items():
            before, since, moved = self._seen.get(name, (None, steady, False))
            if before != lease:
                since = steady
                moved = before is not None and before.incarnation == lease.incarnation
            seen[name] = lease, since, moved
            if steady - since > lease.session / 1000 or (not moved and lease.until < wall):
                found.add(lease)
        self._seen = seen
        return frozenset(found)


class PutOut(Exception):
    """Another process joined under this member's name."""


class Group:
    """The rows of one service."""

    def __init__(self, log: int, service: str, partitions: int) -> None:
        self._place: Final = (log, service)
        self._partitions = partitions

    def view(self, sqlite: sqlite3.Connection) -> View:
        leases = sqlite.execute(
            "SELECT name, incarnation, until, session FROM member WHERE log = ? AND service = ?", self._place
        )
        owners = sqlite.execute("SELECT partition, member FROM owner WHERE log = ? AND service = ?", self._place)
        return View({row[0]: Lease(*row) for row in leases}, dict(owners.fetchall()))

    def wants(self, view: View, name: str, lapsed: frozenset[Lease]) -> bool:
        """Whether this member has something to take, to give back, or to clear away."""
        if lapsed or name not in view.leases:
            return True
        due = shares(self._partitions, view.leases, view.owners)
        return any(
            (view.owners.get(p) == name and due[p] != name) or (p not in view.owners and due[p] == name) for p in due
        )

    def renew(
        self, sqlite: sqlite3.Connection, lease: Lease, lapsed: frozenset[Lease], *, join: bool
    ) -> frozenset[int]:
        """Renew a lease, clear away those that have lapsed, and take or give back what is due. Within a transaction.

        A partition that a living member owns is taken only after that member gave it back.

        Returns:
            The partitions that the member owns now.

        Raises:
            PutOut: the name belongs to another process now.
        """
        view = self.view(sqlite)
        mine = view.leases.get(lease.name)
        if not join and mine is not None and mine.incarnation != lease.incarnation:
            raise PutOut
        alive = {name for name, other in view.leases.items() if other not in lapsed} | {lease.name}
        for name in view.leases.keys() - alive:
            self._remove(sqlite, name)
        sqlite.execute(
            "INSERT OR REPLACE INTO member (log, service, name, incarnation, until, session) VALUES (?, ?, ?, ?, ?, ?)",
            (*self._place, *lease),
        )
        owners = {p: owner for p, owner in view.owners.items() if owner in alive}
        due = shares(self._partitions, alive, owners)
        owned = {p for p, owner in owners.items() if owner == lease.name}
        for p in sorted(p for p in owned if due[p] != lease.name):
            owned.remove(p)
            sqlite.execute("DELETE FROM owner WHERE log = ? AND service = ? AND partition = ?", (*self._place, p))
        for p in sorted(p for p in due if due[p] == lease.name and p not in owners):
            owned.add(p)
            sqlite.execute(
                "INSERT OR REPLACE INTO owner (log, service, partition, member) VALUES (?, ?, ?, ?)",
                (*self._place, p, lease.name),
            )
        return frozenset(owned)

    def leave(self, sqlite: sqlite3.Connection, name: str, incarnation: str) -> None:
        """Give everything back, unless another process uses the name now."""
        found = sqlite.execute(
            "SELECT 1 FROM member WHERE log = ? AND service = ? AND name = ? AND incarnation = ?",
            (*self._place, name, incarnation),
        ).fetchone()
        if found:
            self._remove(sqlite, name)

    def _remove(self, sqlite: sqlite3.Connection, name: str) -> None:
        sqlite.execute("DELETE FROM member WHERE log = ? AND service = ? AND name = ?", (*self._place, name))
        sqlite.execute("DELETE FROM owner WHERE log = ? AND service = ? AND member = ?", (*self._place, name))
