"""Folds a whole log, as it comes, and holds its promises against it."""

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from .catalogue import Catalogue
from .fold import Fold
from .invariants import broken_promises
from .record import Head, Raw, read_head
from .state import Run
from .verdict import Verdict
from .wire import plain


@dataclass(slots=True)
class Partition:
    """One partition as it was folded."""

    number: int
    fold: Fold
    records: list[tuple[Raw, Head | None, Verdict]] = field(default_factory=list)

    @property
    def runs(self) -> list[Run]:
        """All runs that were ever started, closed ones first."""
        return [*self.fold.finished, *self.fold.runs.values()]


class Examination:
    """A log under examination.

    Args:
        partitions: how many the log has.
        table: the catalogue.
    """

    def __init__(self, partitions: int, table: Mapping[bytes, bytes]) -> None:
        self.catalogue = Catalogue(table)
        self.partitions = [Partition(n, Fold(n, partitions, self.catalogue)) for n in range(partitions)]
        self.problems: list[str] = []
        self.seconds = 0.0

    def take(self, records: Iterable[Raw]) -> None:
        """Fold records that follow those taken before.

        Raises:
            UnknownVersion: the log goes by rules that are not known here.
        """
        began = time.perf_counter()
        for raw in map(plain, records):
            partition = self.partitions[raw.partition]
            partition.records.append((raw, read_head(raw.headers), partition.fold.take(raw)))
        self.seconds += time.perf_counter() - began

    def conclude(self, *, complete: bool = True) -> list[str]:
        """All promises that are broken, one line each.

        Args:
            complete: whether all runs should have come to their ends.
        """
        began = time.perf_counter()
        self.problems = list(self.catalogue.wrong)
        for partition in self.partitions:
            self.problems += broken_promises(partition.fold, partition.runs, partition.records, complete=complete)
        self.seconds += time.perf_counter() - began
        return self.problems

    @property
    def runs(self) -> list[Run]:
        return [run for partition in self.partitions for run in partition.runs]

    @property
    def closed(self) -> int:
        """How many runs came to their end."""
        return sum(len(partition.fold.finished) for partition in self.partitions)

    @property
    def records(self) -> int:
        return sum(len(partition.records) for partition in self.partitions)

    @property
    def verdicts(self) -> Counter[Verdict]:
        return Counter(verdict for partition in self.partitions for _, _, verdict in partition.records)


def examine(log: Sequence[Sequence[Raw]], table: Mapping[bytes, bytes], *, complete: bool = True) -> Examination:
    """Fold every partition of a log and look for broken promises."""
    found = Examination(len(log), table)
    for records in log:
        found.take(records)
    found.conclude(complete=complete)
    return found
