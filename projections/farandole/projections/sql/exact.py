"""Rows and the positions up to which they are true, in one transaction.

Who writes says where it takes the tables to be. If they are elsewhere, nothing is written: another one has written, or
the database was set back to a former state. If they are already where it wanted to bring them, its last try succeeded and
it did not hear of it. So each batch is written once, whoever dies or is cut off, and however many there are.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any, Generic, NamedTuple

from sqlalchemy import Connection, Table, bindparam, select
from typing_extensions import TypeVar

from .database import Database
from .errors import Overtaken

K = TypeVar("K", int, str, default=int)


class Place(NamedTuple):
    """Up to where the rows of a partition are true."""

    position: int
    """The offset that comes next."""
    digest: str
    """Of the fold there; equal for all who folded the same records."""
    log_time: int


NOWHERE = Place(0, "", 0)
"""Before the first record."""


class Exact(Generic[K]):
    """Writes to the tables that one table of positions goes with.

    Args:
        positions: has a row for each partition: ``position``, ``digest``, ``log_time``, and the column by which it is
            known.
        by: that column.
    """

    def __init__(self, database: Database, positions: Table, by: str = "partition") -> None:
        self._database = database
        self._places = positions
        self._by = positions.c[by]
        self._update = (
            positions.update()
            .where(self._by == bindparam("of"))
            .values({c: bindparam(f"its_{c}") for c in Place._fields})
        )

    def places(self, connection: Connection, *, of: Collection[K] | None = None, lock: bool = False) -> dict[K, Place]:
        """Where each partition is.

        Args:
            of: these partitions; by default all.
            lock: keep all others from writing about them until the transaction ends.
        """
        c = self._places.c
        query = select(self._by, c.position, c.digest, c.log_time).order_by(self._by)
        if of is not None:
            query = query.where(self._by.in_(sorted(of)))
        rows: Any = connection.execute(query.with_for_update() if lock else query)
        return {partition: Place(*place) for partition, *place in rows}

    def write(self, before: Mapping[K, Place], after: Mapping[K, Place], rows: Callable[[Connection], None]) -> None:
        """Write rows, and that the tables have come from one place to another.

        Args:
            before: where the partitions are that are written about.
            after: where they then are.

        Raises:
            Overtaken: they are elsewhere; nothing was written.
            DatabaseUnavailable: whether it was written is not known. Do it again.
        """
        with self._database.writing() as connection:
            found = self.places(connection, of=before, lock=True)
            if found == after:
                return
            if found != before:
                at = ", ".join(
                    f"{p} at {found[p].position if p in found else 'none'}" for p in before if found.get(p) != before[p]
                )
                raise Overtaken(f"the tables are further on, or set back: partition {at}")
            rows(connection)
            connection.execute(
                self._update,
                [{"of": partition, **{f"its_{k}": v for k, v in place._asdict().items()}} for partition, place in after.items()],
            )  # fmt: skip
