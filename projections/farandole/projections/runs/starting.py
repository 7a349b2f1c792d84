"""How a projector starts: the fold of each partition where the tables are, from the newest checkpoint at or below that."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Final, Protocol

from farandole.eventstore import Ends, EventStore, Stored
from farandole.projections.checkpoints import Checkpoints
from farandole.projections.fold import Fold, UnknownFoldVersion
from farandole.projections.grown import refuse_grown
from farandole.projections.sql import Database, DatabaseMisconfigured, Place

from .batch import Batch
from .governing import in_force

TURN: Final = 200
"""Records after which others get a turn."""


class Tables(Protocol):
    """What a start asks of tables, as `RunTables` has it."""

    @property
    def database(self) -> Database: ...

    def places(self) -> dict[int, Place]: ...

    def begin(self, begun: Mapping[int, Place], rows: Callable[[int], Batch], /) -> dict[int, tuple[Place, int]]: ...


class Start:
    """One start.

    Args:
        call: has the database do something, in a thread.
        wait: seconds for which a read waits for news.
    """

    def __init__(
        self,
        store: EventStore,
        partitions: Collection[int],
        tables: Tables,
        checkpoints: Checkpoints,
        call: Callable[[Callable[[], Any]], Awaitable[Any]],
        wait: float,
    ) -> None:
        self._store = store
        self._partitions = partitions
        self._tables = tables
        self._checkpoints = checkpoints
        self._call = call
        self._wait = wait
        self._places: dict[int, Place] = {}

    async def begin(self) -> dict[int, tuple[Fold, Place, int]]:
        """For each partition its fold, where its tables are, and where its rows begin.

        Raises:
            DatabaseMisconfigured: the tables do not follow from this log.
            UnknownFoldVersion: all that the log can be begun with is of a newer release.
            StoreError, DatabaseError: one of the two cannot be reached.
        """
        store, partitions = self._store, self._partitions
        ends = await store.ends(partitions)
        known: dict[int, Place] = await self._call(self._tables.places)
        folds = {p: Fold(p, store.partitions) for p in partitions}
        # What is new begins where the log does: what came before that is in no table.
        if cut := {p: ends[p] for p in partitions if p not in known and ends[p].first > 0}:
            found = await self._checkpoints.restore(cut, {p: end.first for p, end in cut.items()})
            folds.update({p: each.fold for p, each in found.items()})
            self._refuse_cut_off((p for p in cut if p not in found), ends)
        new = {p: place_of(folds[p]) for p in partitions if p not in known}
        began: dict[int, tuple[Place, int]] = await self._call(
            lambda: self._tables.begin(new, lambda p: _in_force(folds[p]))
        )
        self._places = {p: place for p, (place, _) in began.items() if p in partitions}
        # Asked after the tables, which another one may bring further on meanwhile, but never beyond the log.
        ends = await store.ends(partitions)
        for p, place in self._places.items():
            if place.position > ends[p].next:
                raise self._other(p)
        self._refuse_cut_off((p for p, place in self._places.items() if place.position < ends[p].first), ends)
        if further := {p: ends[p] for p in partitions if self._places[p].position > folds[p].position}:
            found = await self._checkpoints.restore(further, {p: self._places[p].position for p in further})
            folds.update({p: each.fold for p, each in found.items()})
            self._refuse_cut_off((p for p in further if p not in found and ends[p].first > 0), ends)
        await self._fold_up({p: folds[p] for p in further})
        for p, fold in folds.items():
            refuse_grown(fold.made_of, store.partitions)
            if self._places[p] != place_of(fold):
                raise self._other(p)
        return {p: (folds[p], *began[p]) for p in partitions}

    async def _fold_up(self, folds: Mapping[int, Fold]) -> None:
        """Fold what the tables have already."""
        behind = {p: fold for p, fold in folds.items() if fold.position < self._places[p].position}
        reader = self._store.reader()
        try:
            reader.follow({p: fold.position for p, fold in behind.items()})
            while behind:
                for records in await reader.read(wait=self._wait):
                    fold = behind.get(records[0].partition)
                    if fold is not None and await self._fold_one(fold, records):
                        del behind[fold.partition]
                        reader.follow({p: each.position for p, each in behind.items()})
        finally:
            await reader.close()

    async def _fold_one(self, fold: Fold, records: Sequence[Stored]) -> bool:
        """Whether a fold has come to where the tables are."""
        end = self._places[fold.partition].position
        for number, record in enumerate(records, 1):
            if record.offset >= end:
                return True
            if record.offset >= fold.position:
                fold.apply(record)
            if number % TURN == 0:
                await asyncio.sleep(0)
        return fold.position >= end

    def _refuse_cut_off(self, partitions: Iterable[int], ends: Mapping[int, Ends]) -> None:
        for partition in partitions:
            why = self._checkpoints.no_beginning(partition, ends[partition].first)
            if isinstance(why, UnknownFoldVersion):
                raise why
            raise DatabaseMisconfigured(
                f"partition {partition} of the log was archived beyond what the tables in {self._tables.database.url} have, "
                "or no checkpoint stands for what is gone; make them anew: farandole rebuild"
            )

    def _other(self, partition: int) -> DatabaseMisconfigured:
        return DatabaseMisconfigured(
            f"the tables in {self._tables.database.url} do not follow from this log: partition {partition} has other "
            f"records before offset {self._places[partition].position}. If the log is the right one: farandole rebuild"
        )


def _in_force(fold: Fold) -> Batch:
    batch = Batch()
    in_force(fold, batch)
    return batch


def place_of(fold: Fold) -> Place:
    """Where the tables are that have all that was folded."""
    return Place(fold.position, f"{fold.digest:016x}" if fold.position else "", fold.log_time)
