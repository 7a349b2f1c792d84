"""Whether all who read the log agree: workers, clients, a fresh fold, a checker that was written from the page, and the
tables of runs.
"""

from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import TYPE_CHECKING, Any

from checker import Catalogue, Raw
from checker import Fold as CheckersFold
from checker.examine import Partition
from checker.invariants import broken_promises
from checker.record import read_head
from farandole.projections.fold import Fold, Result, Verdict
from farandole.projections.fold.checkpoint import Saver, fold_of
from farandole.schemas.envelope import Kind
from tabled.agreeing import disagreements
from tabled.memory import differences, rows_of

from .catalogue import CATALOGUE
from .snapshot import snapshot
from .transcript import Transcript

if TYPE_CHECKING:
    from .world import World

_CATALOGUE = Catalogue(CATALOGUE)
_DROPS = frozenset((Kind.CANCEL, Kind.EXPIRE))
_CHUNK = 4096
_MOST = 5


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


def by_tables(world: "World") -> Iterator[str]:
    """Where the tables of runs say something else than the fold, or than the same records cut otherwise into batches."""
    for transcript in world.log.transcripts:
        records = [line.record for line in transcript.lines]
        chance = Random(f"{world.seed} {transcript.fold.partition}")
        cuts = sorted(chance.sample(range(len(records)), min(len(records), 12)))
        number = transcript.fold.partition
        of = {"catalogue": CATALOGUE, "choreography": "sim"}
        once = rows_of(records, fold=(fold := Fold(number, world.partitions)), **of)
        cut = rows_of(records, cuts, _again, fold=Fold(number, world.partitions), **of)
        found = [*disagreements(once, fold, *_told(transcript)), *differences(once, cut)]
        yield from (f"the tables of partition {number}: {problem}" for problem in found[:_MOST])


def _told(transcript: Transcript) -> tuple[dict[int, list[int]], dict[int, Result]]:
    """By the offset of its start, the history and the result of each run, as they were told record by record."""
    open_: dict[bytes, int] = {}
    histories: dict[int, list[int]] = {}
    results: dict[int, Result] = {}
    for line in transcript.lines:
        e, key, offset = line.envelope, line.record.key or b"", line.record.offset
        if e is not None and e.kind == Kind.START and line.verdict is Verdict.ADMITTED:
            open_[key], histories[offset] = offset, []
        run = open_.get(key)
        if run is not None:
            histories[run] += [fact.offset for fact in line.admitted]
            if line.result is not Result.NONE:
                results[run] = line.result
    return histories, results


def _again(fold: Fold) -> Fold:
    """What whoever begins anew there has: the fold of its checkpoint."""
    saver = Saver(fold, b"a" * 16, _CHUNK)
    while not saver.work(1000):
        pass
    return fold_of(saver.manifest, dict(saver.take()))
