"""The history as one reader sees it from outside: each record, what the fold made of it, and how its state then was."""

from typing import NamedTuple

from farandole.eventstore import Stored
from farandole.projections.fold import (
    Applied,
    Contract,
    Fact,
    Fold,
    Pair,
    PairKey,
    Result,
    Run,
    UnknownFoldVersion,
    Verdict,
)
from farandole.schemas.envelope import Envelope, Flag, Kind


class Owed(NamedTuple):
    """A pair as it became owed."""

    run: bytes
    key: PairKey
    inputs: tuple[int, ...]
    types: tuple[bytes, ...]


class Line(NamedTuple):
    """One record and its effects, copied, for what the fold returns lives on."""

    record: Stored
    envelope: Envelope | None
    verdict: Verdict
    log_time: int
    admitted: tuple[Fact, ...]
    owed: tuple[Owed, ...]
    settled: tuple[tuple[bytes, PairKey], ...]
    parked: tuple[PairKey, ...]
    closed: tuple[bytes, ...]
    contracts: tuple[Contract, ...]
    result: Result
    digest: int


def _failed_at_once(out: Applied) -> list[tuple[Run, Pair]]:
    """The step of a fan-in whose time is over, if it takes no failures: it is owed, and has failed, with one record."""
    e = out.envelope
    if e is None or e.kind != Kind.EXPIRY or not e.reactor:
        return []
    return [(run, pair) for run, pair in out.settled if pair.key == (e.causation, e.reactor, b"")]


class Transcript:
    """Folds one partition as it grows, and keeps all of it.

    Attributes:
        fold: its state now.
        lines: one for each record.
        wrong: what was seen to be wrong on the way.
    """

    def __init__(self, partition: int, partitions: int) -> None:
        self.fold = Fold(partition, partitions)
        self.lines: list[Line] = []
        self.wrong: list[str] = []

    def take(self, record: Stored) -> Line:
        try:
            out = self.fold.apply(record)
        except UnknownFoldVersion as e:
            self.wrong.append(str(e))
            raise
        if out.verdict is Verdict.HELD and out.run is not None:
            held = max((len(pair.unfinished or ()) for pair in out.run.owed.values()), default=0)
            if held > 4:
                self.wrong.append(f"offset {record.offset}: {held} unfinished appends are kept for one step")
        if out.run is not None and not self.fold.settling:
            for fact in out.admitted:
                if fact.flags & Flag.NO_REACTOR and fact in (out.run.kept or ()):
                    self.wrong.append(f"offset {record.offset}: {fact.type.decode()} is kept, which wants no reactor")
        line = Line(
            record,
            out.envelope,
            Verdict(out.verdict),
            self.fold.log_time,
            tuple(out.admitted),
            tuple(Owed(run.id, pair.key, pair.inputs, pair.types) for run, pair in (*out.owed, *_failed_at_once(out))),
            tuple((run.id, pair.key) for run, pair in out.settled),
            tuple(pair.key for _, pair in out.settled if pair.parked),
            tuple(run.id for run in out.closed),
            out.contracts,
            out.result,
            self.fold.digest,
        )
        self.lines.append(line)
        return line
