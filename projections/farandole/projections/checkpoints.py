"""The checkpoints of one log, as a reader finds them: which there are, and the folds of them.

A reader begins with the highest checkpoint that is whole, in a form that it knows, and of this log; else with the next
lower one, else with the log's beginning. A fold that goes on never takes anything from a checkpoint.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from farandole.eventstore import Ends, EventStore, PositionLost, StoreMisconfigured
from farandole.projections.fold import Fold, UnknownFoldVersion
from farandole.projections.fold.checkpoint import (
    MANIFESTS,
    BrokenCheckpoint,
    Manifest,
    folding,
    manifests_in,
    of_the_future,
)
from farandole.schemas import FarandoleError, UnreadableHeaders
from farandole.schemas.envelope import unpack

from .grown import refuse_grown

log = logging.getLogger("farandole.checkpoints")

_AT_ONCE: Final = 128 << 20
"""Bytes of checkpoints that are read together."""
_CROSSINGS: Final = 64


@dataclass(frozen=True, slots=True)
class Every:
    """How often checkpoints are written.

    Attributes:
        grid: they are of the first positions at or beyond its multiples, so that all keepers choose the same ones.
        least: so many records at least come between two.
        times: and so many for each object of the state.
        look: seconds between two looks at what others wrote.
        rank: seconds that the k-th service by name waits k times over before it writes what is due.
    """

    grid: int = 4096
    least: int = 20_000
    times: int = 4
    look: float = 60.0
    rank: float = 60.0


EVERY: Final = Every()
NEVER: Final = Every(least=1 << 62, look=float(1 << 31))
"""For logs that live for a moment."""


@dataclass(frozen=True, slots=True)
class Found:
    """A fold that was read from a checkpoint."""

    fold: Fold
    manifest: Manifest


class Crossings:
    """The digests of one fold where checkpoints may be written, the latest ones.

    Args:
        append: of the last record that was folded.
    """

    def __init__(self, fold: Fold, every: Every, append: bytes = b"") -> None:
        self._grid = every.grid
        self._held: deque[tuple[int, bytes, int]] = deque(maxlen=_CROSSINGS)
        self.next = 0
        """The position at which the next crossing is."""
        self.cross(fold, append)

    def cross(self, fold: Fold, append: bytes) -> None:
        """The fold has just come to such a position, with a record of this append."""
        self._held.append((fold.position, append, fold.digest))
        self.next = (fold.position // self._grid + 1) * self._grid

    def differs(self, manifest: Manifest) -> bool:
        """Whether the fold had another digest where a checkpoint of this log was taken, after the same record."""
        place, theirs = (manifest.position, manifest.last_append), int.from_bytes(manifest.digest, "big")
        return any((position, append) == place and digest != theirs for position, append, digest in self._held)


class Checkpoints:
    """Knows the checkpoints of a log.

    Attributes:
        manifests: by partition, the highest first, as of the last look.
        distrusted: hashes of those that a reader found to be of another state than its own.
    """

    def __init__(self, store: EventStore) -> None:
        self._store = store
        self._part = store.checkpoints.part(MANIFESTS)
        self.manifests: Mapping[int, Sequence[Manifest]] = {}
        self.distrusted: set[bytes] = set()
        self.astray: dict[int, int] = {}
        """By partition, the lowest position at which a state was found to be wrong: the next restore begins below it."""

    async def look(self) -> None:
        """Learn what was written since.

        Raises:
            StoreUnavailable: the log cannot be reached.
        """
        self.manifests = manifests_in(await self._part.load())

    def of(self, partition: int) -> Sequence[Manifest]:
        """Those of a partition that may be used, the highest first."""
        return [m for m in self.manifests.get(partition, ()) if m.known and m.hash not in self.distrusted]

    async def restore(self, ends: Mapping[int, Ends], below: Mapping[int, int] | None = None) -> dict[int, Found]:
        """For each partition the fold of the best checkpoint; none for those that have none.

        Args:
            below: for each partition, the highest position that will do.

        Raises:
            StoreUnavailable: the log cannot be reached.
            StoreMisconfigured: the topic has grown since it was made.
        """
        await self.look()
        tried = {
            partition: [
                m
                for m in self.manifests.get(partition, ())
                if end.first <= m.position <= min(end.next, (below or {}).get(partition, end.next))
                and self._may_do(m, end)
            ]
            for partition, end in ends.items()
        }
        found: dict[int, Found] = {}
        while tried := {partition: manifests for partition, manifests in tried.items() if manifests}:
            for together in _groups([manifests.pop(0) for manifests in tried.values()]):
                entries = await self._store.checkpoints.pick([key for manifest in together for key in manifest.parts])
                for manifest in together:
                    try:
                        await self._is_of_this_log(manifest, ends[manifest.partition])
                        fold = await _fold(manifest, entries)
                    except BrokenCheckpoint as e:
                        log.warning(
                            "the checkpoint of partition %d at offset %d is passed over: %s",
                            manifest.partition, manifest.position, e, extra={"partition": manifest.partition},
                        )  # fmt: skip
                    else:
                        refuse_grown(fold.made_of, self._store.partitions)
                        found[manifest.partition] = Found(fold, manifest)
                        del tried[manifest.partition]
        return found

    def no_beginning(self, partition: int, first: int) -> FarandoleError:
        """Why nobody can begin with a partition whose log begins at this offset: none of its checkpoints will do."""
        above = [m for m in self.manifests.get(partition, ()) if m.position >= first]
        if unknown := next(filter(None, map(of_the_future, above)), None):
            return UnknownFoldVersion(
                f"partition {partition} begins at offset {first}, and its checkpoints are of a newer release ({unknown}): "
                "upgrade farandole"
            )
        return StoreMisconfigured(
            f"partition {partition} begins at offset {first}: its beginning was deleted, and there is no "
            "checkpoint to restore from. Keep the events topic for ever (retention.ms=-1, retention.bytes=-1)"
        )

    def _may_do(self, manifest: Manifest, end: Ends) -> bool:
        """Whether to begin with it. The log was folded up to the one with which an archived log begins; and below it there
        is nothing: whatever else is doubted, it will do.
        """
        if not manifest.known or 0 < end.first == manifest.position:
            return manifest.known
        before = self.astray.get(manifest.partition, end.next + 1)
        return manifest.hash not in self.distrusted and manifest.position < before

    async def _is_of_this_log(self, manifest: Manifest, end: Ends) -> None:
        """Whether the log has the record that was folded last; where its beginning was archived, nobody can tell."""
        if manifest.position == end.first:
            return
        try:
            (record,) = await self._store.fetch(manifest.partition, (manifest.position - 1,))
            append = unpack(record.headers).append
        except PositionLost as e:
            raise BrokenCheckpoint(f"the record before it is not there: {e}") from e
        except UnreadableHeaders:
            append = b""
        if append != manifest.last_append:
            raise BrokenCheckpoint("another record stands before it: it is of another log")


async def _fold(manifest: Manifest, entries: Mapping[bytes, bytes]) -> Fold:
    """Give the event loop a turn now and then: a state of many runs takes a while."""
    steps = folding(manifest, entries)
    while True:
        try:
            next(steps)
        except StopIteration as e:
            fold: Fold = e.value
            return fold
        await asyncio.sleep(0)


def _groups(manifests: Iterable[Manifest]) -> Iterable[Sequence[Manifest]]:
    """Some at a time, so that what is read fits into memory."""
    together: list[Manifest] = []
    size = 0
    for manifest in manifests:
        if together and size + manifest.length > _AT_ONCE:
            yield together
            together, size = [], 0
        together.append(manifest)
        size += manifest.length
    if together:
        yield together


async def begun(
    store: EventStore, checkpoints: Checkpoints, partitions: Sequence[int], *, newest: bool, surely: bool = False
) -> dict[int, Fold]:
    """Folds to go on with: of the newest checkpoints, or of the least that the log can be read from.

    Args:
        surely: see whether the log has what follows even if there are no checkpoints.

    Raises:
        StoreMisconfigured: the beginning of a partition is gone, and no checkpoint stands for it.
        UnknownFoldVersion: the one that stands for it is of a newer release.
        StoreUnavailable: the log cannot be reached.
    """
    await checkpoints.look()
    if not surely and not any(checkpoints.manifests.get(partition) for partition in partitions):
        return {p: Fold(p, store.partitions) for p in partitions}
    ends = await store.ends(partitions)
    found: Mapping[int, Found] = {}
    if newest:
        found = await checkpoints.restore(ends)
    elif cut := {p: e for p, e in ends.items() if e.first > 0}:
        found = await checkpoints.restore(cut, {p: e.first for p, e in cut.items()})
    for partition in partitions:
        checkpoints.astray.pop(partition, None)
        if partition not in found and ends[partition].first > 0:
            raise checkpoints.no_beginning(partition, ends[partition].first)
    return {p: found[p].fold if p in found else Fold(p, store.partitions) for p in partitions}
