"""What became of each hostile record: refused, copied aside, held, or admitted and dealt with."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from checker import Examination, Raw
from farandole.eventstore import Record, Stored
from farandole.projections.fold import Fold, Pair, Run, Verdict

from .corpus import original
from .dance import PARTITIONS, REACTORS


class Account:
    """A log with hostile records in it, folded by us and by the checker side by side.

    Args:
        table: the catalogue.
    """

    def __init__(self, table: Mapping[bytes, bytes]) -> None:
        self.folds = [Fold(p, PARTITIONS) for p in range(PARTITIONS)]
        self.checker = Examination(PARTITIONS, table)
        self.verdicts: dict[tuple[int, int], Verdict] = {}
        self.unreadable: dict[tuple[int, int], Record] = {}

    def take(self, records: Iterable[Stored]) -> None:
        """Fold what follows, and compare."""
        for record in records:
            out = self.folds[record.partition].apply(record)
            verdict = Verdict(out.verdict)
            self.checker.take([Raw(*record)])
            theirs = self.checker.partitions[record.partition].records[-1][2]
            assert int(theirs) == int(verdict), f"the checker says {theirs.name}, the fold {verdict.name}: {record}"
            place = (record.partition, record.offset)
            self.verdicts[place] = verdict
            if out.envelope is None:
                self.unreadable[place] = Record(record.key, record.value, list(record.headers))

    def conclude(self) -> None:
        """Both folds agree to the last bit."""
        assert [f.digest for f in self.folds] == [p.fold.digest for p in self.checker.partitions]

    def owed_still(self, now: int) -> list[tuple[Run, Pair]]:
        """Steps of our reactors that are neither done nor parked, and could be worked on by now."""
        return [
            (run, pair)
            for fold in self.folds
            for run in fold.runs.values()
            for pair in run.owed.values()
            if pair.reactor in REACTORS and not pair.parked and not run.paused and pair.due <= now
        ]

    def not_copied(self, rejected: Sequence[Stored]) -> set[tuple[int, int]]:
        """Places of records whose headers cannot be read and that have no exact copy."""
        copies: dict[tuple[int, int], Record] = {}
        for copy in rejected:
            headers = dict(copy.headers)
            place = int(headers["fa_rejected_partition"]), int(headers["fa_rejected_offset"])
            copies[place] = original(copy)
        assert copies.keys() <= self.unreadable.keys()
        return {place for place, record in self.unreadable.items() if copies.get(place) != record}

    def tally(self, places: Iterable[tuple[int, int]]) -> Counter[str]:
        """How many of these places have which verdict."""
        return Counter(self.verdicts[place].name for place in places)
