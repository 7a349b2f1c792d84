"""Whether all who read the log agree: workers, clients, a fresh fold, and a checker that was written from the page."""

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from checker import Catalogue, Raw
from checker import Fold as CheckersFold
from checker.examine import Partition
from checker.invariants import broken_promises
from checker.record import read_head
from farandole.projections.fold import Fold, Verdict
from farandole.schemas.envelope import Kind

from .catalogue import CATALOGUE
from .snapshot import snapshot

if TYPE_CHECKING:
    from .world import World

_CATALOGUE = Catalogue(CATALOGUE)
_DROPS = frozenset((Kind.CANCEL, Kind.EXPIRE))


def folds(world: "World") -> Iterator[tuple[str, Fold]]:
    """The state of everybody who lives."""
    for machine in world.alive():
        if machine.worker is not None:
            for serving in machine.worker.partitions.values():
                yield machine.name, serving.fold
    for client in world.clients:
        for fold in client.client.follower._folds.values():
            yield client.name, fold


def by_digest(world: "World") -> Iterator[str]:
    """Readers whose digest is not that of the log at their position."""
    for name, fold in folds(world):
        lines = world.log.transcripts[fold.partition].lines
        if fold.position and lines[fold.position - 1].digest != fold.digest:
            yield f"{name} has another digest at offset {fold.position - 1} of partition {fold.partition}"


def by_state(world: "World") -> Iterator[str]:
    """Readers that know all of the log, and something else than a fold of it does."""
    true: dict[int, dict[str, Any]] = {}
    for name, fold in folds(world):
        whole = world.log.transcripts[fold.partition].fold
        if fold.position != whole.position:
            continue
        expected = true.setdefault(fold.partition, snapshot(whole))
        mine = snapshot(fold)
        if mine != expected:
            parts = [part for part, value in expected.items() if mine[part] != value]
            yield f"{name} differs in {', '.join(parts)} of partition {fold.partition}"


def by_checker(world: "World") -> Iterator[str]:
    """What the independent checker makes of the log, and where it differs from the fold."""
    for transcript in world.log.transcripts:
        number = transcript.fold.partition
        partition = Partition(number, CheckersFold(number, world.partitions, _CATALOGUE))
        for line in transcript.lines:
            raw = Raw(*line.record)
            verdict = partition.fold.take(raw)
            partition.records.append((raw, read_head(raw.headers), verdict))
            if int(verdict) != int(line.verdict):
                yield f"partition {number}, offset {raw.offset}: the checker says {verdict.name}, the fold {line.verdict.name}"
                return
        if partition.fold.digest != transcript.fold.digest:
            yield f"partition {number}: the checker has another digest"
        excused = [f"partition {p}: offset {offset}:" for p, offset in world.garbage | world.spoilt]
        starts = Counter((run.key, run.start_id) for run in partition.runs)
        # A start that is sent again after the dedup window makes a second run, whose events have the ids of the first.
        excused += [f"partition {number}: run {key.decode()}: " for (key, _), times in starts.items() if times > 1]
        # A cancel of a run that has its result drops what it owes; the checker looks for results only.
        excused += [
            f"partition {number}: run {(line.record.key or b'').decode()}: "
            for line in transcript.lines
            if line.envelope is not None and line.envelope.kind in _DROPS and line.verdict is Verdict.ADMITTED
        ]
        for problem in broken_promises(partition.fold, partition.runs, partition.records, complete=True):
            if not problem.startswith(tuple(excused)):
                yield f"the checker: {problem}"
