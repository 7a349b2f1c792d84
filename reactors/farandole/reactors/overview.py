"""Many runs at a glance: every open one, and the latest of those that are closed."""

import heapq
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from farandole.eventstore import EventStore, Stored
from farandole.projections.fold import Applied, Awaited, Fold, Run, RunStatus, Verdict, awaited, status_of
from farandole.schemas.envelope import Kind, unpack

from .alive import with_workers
from .follower import Follower

_TOGETHER: Final = 500
CLOSED: Final = 200
"""How many closed runs are kept."""


_NO_NEWS: Final = frozenset((Kind.OUTCOME, Kind.CLAIM, Kind.PROGRESS, Kind.SUBSTEP, Kind.DELIVERED))
"""Kinds of records that are not what happened last, unless an event came with them."""


@dataclass(frozen=True, slots=True)
class RunSummary:
    """A run in one line."""

    id: str
    type: str
    """Wire name of its start."""
    started: int
    """When the log took its start, in milliseconds since 1970 UTC."""
    status: RunStatus
    last: str
    """What was admitted last: the wire name of an event, or of a failure or command."""
    awaits: tuple[Awaited, ...] = ()
    """What it waits for, besides what it owes."""


@dataclass(frozen=True, slots=True)
class RunList:
    """Some runs, those that moved last first, and how many there are in all."""

    runs: tuple[RunSummary, ...]
    counts: Mapping[str, int] = field(default_factory=dict)
    """How many runs the log has, by status; those that were closed long ago included, unless ``recent``."""
    recent: bool = False
    """Whether runs that were closed before the newest checkpoints are left out."""


@dataclass(slots=True)
class _Begun:
    type: bytes
    started: int
    last: bytes


class Overview:
    """Follows runs through the folds of their partitions. Costs memory for each open run, and for some closed ones.

    Args:
        closed: how many closed runs to keep, the latest.
        wanted: which closed runs are worth keeping.
    """

    def __init__(self, closed: int = CLOSED, wanted: Callable[[RunSummary], bool] = lambda run: True) -> None:
        self._most = closed
        self._wanted = wanted
        self._open: dict[bytes, _Begun] = {}
        self._closed: list[tuple[int, int, RunSummary]] = []
        self._number = 0
        self.counts: Counter[str] = Counter()
        """Closed runs by status."""

    def note(self, fold: Fold, record: Stored, out: Applied) -> None:
        """Take note of a record that a fold has just applied."""
        e, run = out.envelope, out.run
        if e is not None and run is not None and out.verdict is Verdict.ADMITTED:
            if e.kind == Kind.START:
                self._open[run.id] = _Begun(e.type, record.time, e.type)
            begun = self._open.get(run.id)
            if begun is not None and (out.admitted or e.kind not in _NO_NEWS):
                begun.last = out.admitted[-1].type if out.admitted else e.type
        for closed in out.closed:
            self._close(fold, closed)

    def unknown(self, folds: Mapping[int, Fold]) -> list[tuple[Fold, Run]]:
        """Open runs whose beginning was not seen."""
        return [(fold, run) for fold in folds.values() for run in fold.runs.values() if run.id not in self._open]

    def begun(self, run: Run, start: Stored) -> None:
        """Take note of how a run began that was not seen to."""
        self._open[run.id] = _Begun(unpack(start.headers).type, start.time, b"")

    def runs(self, folds: Mapping[int, Fold]) -> list[RunSummary]:
        """All that is kept, those that moved last first; closed ones as many as were to be kept."""
        found = [summary for _, _, summary in self._closed]
        for fold in folds.values():
            found += [self._summary(fold, run) for run in fold.runs.values()]
        return sorted(found, key=lambda run: (run.status.touched, run.started, run.id), reverse=True)

    def _close(self, fold: Fold, run: Run) -> None:
        summary = self._summary(fold, run)
        self._open.pop(run.id, None)
        self.counts[summary.status.status] += 1
        if self._wanted(summary):
            self._number += 1
            heapq.heappush(self._closed, (summary.status.touched, self._number, summary))
            if len(self._closed) > self._most:
                heapq.heappop(self._closed)

    def _summary(self, fold: Fold, run: Run) -> RunSummary:
        status = status_of(fold, run)
        begun = self._open.get(run.id)
        if begun is None:
            return RunSummary(status.run_id, "", status.touched, status, "")
        return RunSummary(
            status.run_id, begun.type.decode(), begun.started, status, begun.last.decode(), awaited(fold, run)
        )


async def list_runs(
    store: EventStore,
    *,
    status: Collection[str] = (),
    type: str | None = None,
    limit: int = 50,
    everything: bool = False,
) -> RunList:
    """The runs of a log, as of now; see `Client.runs`."""

    def wanted(run: RunSummary) -> bool:
        return (not status or run.status.status in status) and type in (None, run.type)

    overview = Overview(limit, wanted)
    partitions = range(store.partitions)
    follower = Follower(store, restores=not everything)
    follower.listener = lambda record, out: overview.note(follower.fold(record.partition), record, out)
    try:
        await follower.up_to_date(partitions)
        folds = {p: follower.fold(p) for p in partitions}
        await _learn_beginnings(store, overview, folds, status, None if type else limit)
        found = overview.runs(folds)
    finally:
        await follower.close()
    counts = overview.counts + Counter(run.status.status for run in found if run.status.status not in overview.counts)
    listed = [run for run in found if wanted(run)][:limit]
    statuses = await with_workers(store, [run.status for run in listed])
    runs = tuple(replace(run, status=status) for run, status in zip(listed, statuses, strict=True))
    return RunList(runs, counts, follower.from_checkpoints)


async def _learn_beginnings(
    store: EventStore, overview: Overview, folds: Mapping[int, Fold], status: Collection[str], limit: int | None
) -> None:
    """Read the starts of runs that were open at a checkpoint: of those that will be listed, or of all (None)."""
    unknown = [(f, run) for f, run in overview.unknown(folds) if not status or status_of(f, run).status in status]
    if limit is not None:
        unknown = heapq.nlargest(limit, unknown, key=lambda each: each[1].touched)
    for partition in {fold.partition for fold, _ in unknown}:
        runs = sorted((run for fold, run in unknown if fold.partition == partition), key=lambda run: run.offset)
        for at in range(0, len(runs), _TOGETHER):
            together = runs[at : at + _TOGETHER]
            starts = await store.fetch(partition, [run.offset for run in together])
            for run, start in zip(together, starts, strict=True):
                overview.begun(run, start)
