"""How the fold does without each rule of what arrives in pieces."""

from typing import TypeVar

from farandole.eventstore import Stored
from farandole.projections.fold import Fact, Fold, Pair, PairKey, Run, RunState, Verdict, admission, taking
from farandole.projections.fold.applied import Applied
from farandole.projections.fold.framing import Frames, collect
from farandole.schemas.envelope import Envelope

T = TypeVar("T")
_take = taking.take


def as_they_come(fold: Fold, run: Run, record: Stored, e: Envelope, out: Applied) -> Verdict:
    """Each event of an outcome counts at once, and the last one discharges the pair."""
    key = (e.causation, e.reactor, e.generation)
    pair = run.owed.get(key)
    if pair is None or pair.parked:
        return Verdict.NOT_OWED
    if e.index + 1 >= e.count:
        del run.owed[key]
        out.settled.append((run, pair))
    if e.count:
        hops = 0 if run.state is RunState.OPEN else pair.hops + 1
        _take(fold, run, Fact(e.id, fold.intern(e.type), record.offset, e.flags, hops), out)
    return Verdict.ADMITTED


def count_copies(frames: Frames[T], e: Envelope, part: T) -> list[T] | None:
    """A part that is held already counts as one more."""
    if e.count <= 1:
        return [part]
    frame = frames.setdefault((e.append, e.count), {})
    frame[len(frame)] = part
    return list(frame.values()) if len(frame) >= e.count else None


def whole_at_the_last(frames: Frames[T], e: Envelope, part: T) -> list[T] | None:
    """The last index makes an append whole, whatever is missing."""
    if e.count <= 1:
        return [part]
    frame = frames.setdefault((e.append, e.count), {})
    frame.setdefault(e.index, part)
    return [part for _, part in sorted(frame.items())] if e.index + 1 == e.count else None


def newest_goes(frames: Frames[T], e: Envelope, part: T) -> list[T] | None:
    """There is room for four unfinished appends, and none for a fifth."""
    if e.count > 1 and len(frames) >= 4 and (e.append, e.count) not in frames:
        return None
    return collect(frames, e, part)


def one_by_one(frames: Frames[T], e: Envelope, part: T) -> list[T] | None:
    """Each record of an append counts by itself."""
    return [part]


def held_unasked(fold: Fold, run: Run, record: Stored, e: Envelope, out: Applied) -> Verdict:
    """Pieces are held first; whether their pair is owed is asked once they are whole."""
    strangers: Frames[int] = vars(fold).setdefault("strangers", {})
    owed = (e.causation, e.reactor, e.generation) in run.owed
    if not owed and e.count > 1 and collect(strangers, e, record.offset) is None:
        return Verdict.HELD
    return admission.outcome(fold, run, record, e, out)


def outlives_its_pair(fold: Fold, run: Run, record: Stored, e: Envelope, out: Applied) -> Verdict:
    """What was begun while its pair was owed counts once it is whole, whatever became of the pair."""
    begun: dict[tuple[bytes, PairKey], Pair] = vars(fold).setdefault("begun", {})
    key = (e.causation, e.reactor, e.generation)
    owed = run.owed.get(key)
    pair = begun[run.start, key] = owed or begun.get((run.start, key), _NOBODYS)
    if owed is None and (e.append, e.count) in (pair.unfinished or ()):
        run.owed[key] = pair
    verdict = admission.outcome(fold, run, record, e, out)
    if owed is None and verdict is Verdict.HELD:
        del run.owed[key]
    return verdict


_NOBODYS = Pair(b"", b"", b"", (), (), 0)
