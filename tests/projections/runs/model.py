"""Random logs, and the rows of them, however they are cut."""

from collections.abc import Iterable, Sequence

from tests.flow.random_log import PARTITIONS, RandomLog
from tests.tabled import memory
from tests.tabled.memory import COLUMNS, Restart, Tables, apply, differences, open_in, open_in_fold

from farandole.eventstore import Stored
from farandole.projections.fold import Fold

__all__ = ["COLUMNS", "Tables", "a_random_log", "apply", "differences", "open_in", "open_in_fold", "rows_of"]


def a_random_log(seed: int, count: int) -> list[Stored]:
    """Records of partition 0, of every kind, many of which are to the point."""
    log, fold, records = RandomLog(seed), Fold(0, PARTITIONS), []
    for _ in range(count):
        records.append(log.next(fold))
        fold.apply(records[-1])
    return records


def rows_of(records: Sequence[Stored], cuts: Iterable[int] = (), restarts: Restart | None = None) -> Tables:
    """The rows of a random log; see `memory.rows_of`."""
    return memory.rows_of(records, cuts, restarts, fold=Fold(0, PARTITIONS), catalogue={}, choreography="t")
