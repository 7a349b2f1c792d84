"""The framework's fold and the checker's were written apart, the latter from `docs/protocol.md`. They must agree."""

from typing import Any

import pytest
from tests.projections.fold.checkpointing import APPEND, CHUNK, again, saved

from checker import Fold as CheckersFold
from checker import Raw
from farandole.projections.fold import Fold, Verdict
from farandole.projections.fold.checkpoint import Saver

from .making import MAKERS
from .random_log import PARTITIONS, RandomLog, catalogue

RECORDS = 400
REACHED = frozenset(v for v in Verdict if v <= Verdict.TOO_FAR).union(*(maker.reaches for maker in MAKERS))
"""What random records bring about."""


def framework_view(fold: Fold) -> dict[bytes, Any]:
    return {
        key: (
            run.state.name.lower(),
            run.paused,
            {p.key: (p.inputs, p.attempts, p.parked, p.hops, p.of_failure) for p in run.owed.values()},
            sorted((k.id, k.offset, k.hops) for k in run.kept or ()),
        )
        for key, run in fold.runs.items()
    }


def checkers_view(fold: CheckersFold) -> dict[bytes, Any]:
    return {
        key: (
            run.state,
            run.paused,
            {
                d.pair: (tuple(offset for offset, _ in d.inputs), d.attempts, d.parked or b"", d.hops, d.of_failed)
                for d in run.owed.values()
            },
            sorted((k.id, k.offset, k.hops) for k in run.kept),
        )
        for key, run in fold.runs.items()
    }


@pytest.mark.parametrize("seed", range(60))
def test_two_folds_agree_on_every_record_of_a_random_log(seed: int) -> None:
    log, ours, theirs = RandomLog(seed), Fold(0, PARTITIONS), CheckersFold(0, PARTITIONS, catalogue())
    for _ in range(RECORDS):
        record = log.next(ours)
        verdict, checkers = ours.apply(record).verdict, theirs.take(Raw(*record))
        assert int(verdict) == int(checkers), f"seed {seed}: {record}"
        assert framework_view(ours) == checkers_view(theirs), f"seed {seed}: after {record}"
    assert ours.digest == theirs.digest


@pytest.mark.parametrize("seed", range(60))
def test_a_fold_that_is_restored_again_and_again_goes_on_as_one_that_is_not(seed: int) -> None:
    log, whole, restored = RandomLog(seed), Fold(0, PARTITIONS), Fold(0, PARTITIONS)
    for number in range(RECORDS):
        record = log.next(whole)
        assert whole.apply(record).verdict is restored.apply(record).verdict
        if number % 23 == seed % 23:
            assert saved(restored) == saved(whole)
            restored = again(restored)
    assert restored.digest == whole.digest
    assert saved(restored) == saved(whole)


@pytest.mark.parametrize("seed", range(60))
def test_what_is_saved_while_the_fold_goes_on_is_the_state_at_which_saving_began(seed: int) -> None:
    log, fold, expected = RandomLog(seed), Fold(0, PARTITIONS), None
    for number in range(RECORDS):
        fold.apply(log.next(fold))
        saver = fold.saver
        if isinstance(saver, Saver):
            if saver.work(1):
                assert (saver.manifest, dict(saver.take())) == expected
                fold.saver = None
        elif number % 5 == seed % 5:
            expected = saved(fold)
            fold.saver = Saver(fold, APPEND, CHUNK)


def test_random_logs_lead_to_every_verdict() -> None:
    seen = set()
    for seed in range(20):
        log, fold = RandomLog(seed), Fold(0, PARTITIONS)
        seen |= {fold.apply(log.next(fold)).verdict for _ in range(RECORDS)}
    assert seen == REACHED
