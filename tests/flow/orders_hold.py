"""What must hold after the order example ran among kills, whatever the log is kept in."""

from collections.abc import Sequence
from pathlib import Path

from checker import Examination
from farandole.eventstore import Stored
from farandole.projections.fold import Fold

from .order_histories import wrong_histories
from .recovery import charges


def assert_every_order_is_as_it_should_be(found: Examination, acknowledged: Sequence[str], ledger: Path) -> None:
    """No promise is broken, no run is lost or doubled, each step stands once, and our own fold says the same."""
    assert found.conclude() == []
    assert sorted(acknowledged) == sorted(run.key.decode() for run in found.runs)
    assert wrong_histories(found.runs) == []
    assert charges(found, ledger)[2] == []
    assert digests_of_the_framework(found) == [part.fold.digest for part in found.partitions]


def digests_of_the_framework(found: Examination) -> list[int]:
    """What the framework's own fold makes of the same records."""
    digests = []
    for part in found.partitions:
        fold = Fold(part.number, len(found.partitions))
        for raw, _, verdict in part.records:
            assert int(fold.apply(Stored(*raw)).verdict) == int(verdict), raw  # type: ignore[arg-type]
        digests.append(fold.digest)
    return digests
