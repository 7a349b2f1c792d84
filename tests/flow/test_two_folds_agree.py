"""The framework's fold and the checker's were written apart, the latter from `docs/protocol.md`. They must agree."""

from typing import Any

import pytest
from tests.projections.fold.checkpointing import APPEND, CHUNK, again, saved

from checker import Fold as CheckersFold
from checker import Raw
from farandole.projections.fold import Fold, Pair, Run, Verdict
from farandole.projections.fold.checkpoint import Saver
from farandole.projections.fold.pending import Message

from .making import MAKERS
from .random_log import PARTITIONS, RandomLog, catalogue

RECORDS = 400
REACHED = frozenset(v for v in Verdict if v <= Verdict.TOO_FAR and v is not Verdict.UNKNOWN_KIND).union(
    *(maker.reaches for maker in MAKERS)
)
"""What random records bring about: no kind is without a rule."""


def framework_stack(run: Run) -> Any:
    if run.pending is None:
        return False, []
    return run.pending.undo, [(u.outcome, u.reactor, u.inputs, u.hops) for u in run.pending.stack or ()]


def work_of(pair: Pair) -> tuple[bytes, int, int, dict[bytes, int]]:
    work = pair.work
    return (b"", 0, 0, {}) if work is None else (work.holder, work.until, work.lost, work.once or {})


def framework_view(fold: Fold) -> dict[bytes, Any]:
    return {
        key: (
            run.state.name.lower(),
            run.paused,
            {p.key: (p.inputs, p.attempts, p.parked, p.hops, p.of_failure, work_of(p)) for p in run.owed.values()},
            sorted((k.id, k.offset, k.hops) for k in run.kept or ()),
            framework_stack(run),
            sorted((t.id, t.type, t.due) for t in (run.pending.timers or {}).values()) if run.pending else [],
            run.pending.deadline if run.pending else 0,
            sorted((d.id, d.votes or {}) for d in (run.pending.decisions or {}).values()) if run.pending else [],
            [(m.kind, m.to, m.key, m.offset, m.flags) for m in messages(run).values()],
            sorted(run.pending.children or ()) if run.pending else [],
        )
        for key, run in fold.runs.items()
    }


def messages(run: Run) -> dict[Any, Message]:
    return (run.pending.messages if run.pending else None) or {}


def checkers_view(fold: CheckersFold) -> dict[bytes, Any]:
    return {
        key: (
            run.state,
            run.paused,
            {
                d.pair: (
                    tuple(offset for offset, _ in d.inputs),
                    d.attempts,
                    d.parked or b"",
                    d.hops,
                    d.of_failed,
                    (*(d.claim or (b"", 0)), d.lost, d.substeps),
                )
                for d in run.owed.values()
            },
            sorted((k.id, k.offset, k.hops) for k in run.kept),
            (run.undoing, [(u.outcome, u.reactor, tuple(at for at, _ in u.inputs), u.hops) for u in run.stack]),
            sorted((t.id, t.type, t.due) for t in run.timers.values()),
            run.deadline,
            sorted((d.id, d.votes) for d in run.decisions.values()),
            [(m.kind, m.choreography, m.key, m.offset, m.flags) for m in run.letters.values()],
            sorted(run.children),
        )
        for key, run in fold.runs.items()
    }


def schedules(fold: Fold) -> dict[bytes, Any]:
    return {
        name: (s.last, s.waiting, sorted(s.children or ()), [(k, m.kind, m.key) for k, m in (s.messages or {}).items()])
        for name, s in fold.schedules.items()
    }


def checkers_schedules(fold: CheckersFold) -> dict[bytes, Any]:
    return {
        name: (s.last, s.waiting, sorted(s.children), [(k, m.kind, m.key) for k, m in s.letters.items()])
        for name, s in fold.schedules.items()
    }


@pytest.mark.parametrize("seed", range(60))
def test_two_folds_agree_on_every_record_of_a_random_log(seed: int) -> None:
    log, ours, theirs = RandomLog(seed), Fold(0, PARTITIONS), CheckersFold(0, PARTITIONS, catalogue())
    for _ in range(RECORDS):
        record = log.next(ours)
        verdict, checkers = ours.apply(record).verdict, theirs.take(Raw(*record))
        assert int(verdict) == int(checkers), f"seed {seed}: {record}"
        assert framework_view(ours) == checkers_view(theirs), f"seed {seed}: after {record}"
        assert schedules(ours) == checkers_schedules(theirs), f"seed {seed}: after {record}"
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
    for seed in range(60):
        log, fold = RandomLog(seed), Fold(0, PARTITIONS)
        seen |= {fold.apply(log.next(fold)).verdict for _ in range(RECORDS)}
        if seen >= REACHED:
            break
    assert seen == REACHED
