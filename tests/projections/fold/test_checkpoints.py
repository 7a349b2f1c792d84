"""A checkpoint is the whole state of a prefix: the fold of it goes on as the one that it was taken of."""

from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from tests.projections.fold.checkpointing import APPEND, CHUNK, again, saved
from tests.projections.fold.log import END, Log, a_catcher, a_contract, an_outcome
from tests.projections.fold.snapshot import snapshot

from farandole.eventstore import Record, Stored
from farandole.projections.fold import Fold
from farandole.projections.fold.branches import Branch, FanOut, Gathering, Gift, Waiting
from farandole.projections.fold.checkpoint import BrokenCheckpoint, Manifest, Saver, fold_of, manifests_in, records
from farandole.projections.fold.pending import Child, Decision, Message, Parent, Pending, Timer, Undo, Working
from farandole.projections.fold.run import Fact, Item, Pair, Result, Run
from farandole.projections.fold.schedules import Schedule
from farandole.schemas.envelope import Kind


def goes_on_alike(one: Fold, other: Fold, stored: Iterable[Stored]) -> None:
    for record in stored:
        a, b = one.apply(record), other.apply(record)
        assert a.verdict is b.verdict
        told = [[(run.id, pair.key) for run, pair in pairs] for pairs in (a.owed, b.owed, a.settled, b.settled)]
        assert (told[0], told[2]) == (told[1], told[3])
        assert [fact.id for fact in a.admitted] == [fact.id for fact in b.admitted]
    assert snapshot(one) == snapshot(other)
    assert saved(one) == saved(other)


def plain(thing: Any, seen: dict[int, int] | None = None) -> Any:
    """An object with all that it refers to, as values that can be compared; what was met before by its number."""
    seen = {} if seen is None else seen
    if isinstance(thing, tuple) and not hasattr(thing, "_fields"):
        return tuple(plain(each, seen) for each in thing)
    if isinstance(thing, list):
        return [plain(each, seen) for each in thing]
    if isinstance(thing, dict):
        return [(plain(key, seen), plain(value, seen)) for key, value in thing.items()] or None
    slots = [
        s for c in type(thing).__mro__ for s in getattr(c, "__slots__", ()) if c.__module__.startswith("farandole")
    ]
    if not slots:
        return thing
    if id(thing) in seen:
        return f"#{seen[id(thing)]}"
    if not isinstance(thing, Fact):
        # What holds facts may share them or have equal ones: nothing ever changes them.
        seen[id(thing)] = len(seen)
    return (type(thing).__name__, {name: plain(getattr(thing, name), seen) for name in sorted(slots)})


def two_logs_of_runs() -> Log:
    """Runs that wait, owe, join, are parked, paused, half appended, and closed ones."""
    log = Log(settle=10_000, dedup_most=10_000, join_most=2)
    log.contracts(
        a_contract("step", "A"), a_contract("join", "B", "C"), a_catcher("mend", "D"),
        a_contract("hold", "D", signals=["t.D"], each=""),
    )  # fmt: skip
    for n in range(40):
        run = b"run-%d" % n
        log.start(run)
        if n % 4 == 1:
            log.outcome(log.pair("step", run), "B", "B", "D", run=run)
        elif n % 4 == 2:
            log.failure(log.pair("step", run), run=run, last=n % 8 == 2)
            log.command(Kind.PAUSE, run)
        elif n % 4 == 3:
            log.put(*an_outcome(run, log.pair("step", run), "B", "C", "D")[:2])
        else:
            log.outcome(log.pair("step", run), "Done", run=run, flags=END)
    return log


def test_the_fold_of_a_checkpoint_is_the_same_at_every_position_and_goes_on_alike() -> None:
    log = two_logs_of_runs()
    fold = Fold(0, 1)
    for position, record in enumerate(log.stored):
        fold.apply(record)
        if position % 7 == 0:
            other = again(fold)
            assert snapshot(other) == snapshot(fold)
            assert list(other.runs) == list(fold.runs)
            assert set(other.keeping) == set(fold.keeping)
            fresh = Fold(0, 1)
            for earlier in log.stored[: position + 1]:
                fresh.apply(earlier)
            goes_on_alike(fresh, other, log.stored[position + 1 :])


def test_saving_while_folding_gives_the_same_bytes_wherever_the_fold_is_meanwhile() -> None:
    log = two_logs_of_runs()
    at = len(log.stored) // 2
    fold = Fold(0, 1)
    for record in log.stored[:at]:
        fold.apply(record)
    expected = saved(fold)
    for done_before in range(0, 60, 7):
        fold = Fold(0, 1)
        for record in log.stored[:at]:
            fold.apply(record)
        fold.saver = saver = Saver(fold, APPEND, CHUNK)
        for _ in range(done_before):
            next(saver._steps, None)
        for record in log.stored[at:]:
            fold.apply(record)
            if record.offset % 3 == 0:
                next(saver._steps, None)
        while not saver.work(1000):
            pass
        assert (saver.manifest, dict(saver.take())) == expected
        assert not saver._early


@pytest.mark.parametrize("control", ["contract", "sweep"])
def test_what_changes_all_runs_is_saved_before(control: str) -> None:
    log = two_logs_of_runs()
    fold = Fold(0, 1)
    for record in log.stored:
        fold.apply(record)
    expected = saved(fold)
    fold.saver = saver = Saver(fold, APPEND, CHUNK)
    if control == "contract":
        log.contracts(a_contract("step", "A", state="retired_drop"))
    else:
        log.now += 60_000
        log.start(b"late")
    fold.apply(log.stored[-1])
    while not saver.work(1000):
        pass
    assert (saver.manifest, dict(saver.take())) == expected


def test_ids_of_closed_runs_are_kept_in_pieces_that_do_not_change() -> None:
    log = Log(dedup_window=24_000, dedup_most=100_000)
    log.contracts(a_contract("step", "A"))

    def close(numbers: Iterable[int]) -> None:
        for n in numbers:
            run = b"run-%d" % n
            log.start(run)
            log.outcome(log.pair("step", run), run=run, flags=0)
            log.cancel(run)
            log.now += 20

    close(range(300))
    before, entries = saved(log.fold)
    close(range(300, 600))
    after, more = saved(log.fold)
    assert len(set(before.pieces) & set(after.pieces)) >= len(before.pieces) - 1
    other = fold_of(after, more)
    assert len(other.closed) == 600
    assert all(b"run-%d" % n in other.closed for n in range(600))
    assert b"run-600" not in other.closed
    assert {key for key in entries if key.startswith(b"b/")} <= entries.keys()


def test_a_checkpoint_of_many_chunks_is_read_again() -> None:
    log = two_logs_of_runs()
    manifest, entries = saved(log.fold, 256)
    assert len(manifest.chunks) > 20
    assert snapshot(fold_of(manifest, entries)) == snapshot(log.fold)
    assert saved(fold_of(manifest, entries), 256) == (manifest, entries)
    other, _ = saved(log.fold, 512)
    assert other.hash == manifest.hash


@pytest.mark.parametrize("spoil", ["lost", "bit", "short", "manifest", "piece", "format", "version"])
def test_what_is_not_whole_or_not_ours_is_noticed(spoil: str) -> None:
    log = two_logs_of_runs()
    manifest, entries = saved(log.fold, 256)
    key = manifest.chunks[3]
    changes: dict[str, Any] = {}
    if spoil == "lost":
        del entries[key]
    elif spoil == "bit":
        entries[key] = bytes([entries[key][0] ^ 1]) + entries[key][1:]
    elif spoil == "short":
        entries[key] = entries[key][:-1]
    elif spoil == "piece":
        entries[next(k for k in entries if k.startswith(b"b/"))] += bytes(16)
    else:
        changes = {"manifest": {"digest": bytes(8)}, "format": {"format": bytes(8)}, "version": {"fold_version": 99}}[
            spoil
        ]
    fields = {name: getattr(manifest, name) for name in manifest.__slots__}
    with pytest.raises(BrokenCheckpoint):
        fold_of(Manifest(**{**fields, **changes}), entries)


def test_manifests_are_found_the_highest_first_and_others_are_passed_over() -> None:
    log = two_logs_of_runs()
    entries = {}
    for position in (0, 9, 30):
        fold = Fold(0, 1)
        for record in log.stored[:position]:
            fold.apply(record)
        manifest, _ = saved(fold)
        entries[manifest.key] = manifest.encode()
    entries[b"m/0/nonsense"] = manifest.encode()
    entries[b"m/0/7"] = b"\xc3\x01"
    assert [m.position for m in manifests_in(entries)[0]] == [30, 9, 0]


# ── state that is kept, whichever rules there are for it ─────────────────────────────────────────────────────────────

FIELDS: Mapping[type, tuple[dict[str, Any], set[str], set[str]]] = {
    # The record, attributes that follow from others, and fields that stand for something else.
    Fact: (records.FACT, set(), {"item"}),
    Pair: (records.PAIR, {"key"}, set()),
    Branch: (records.BRANCH, set(), set()),
    FanOut: (records.FANOUT, {"run"}, set()),
    Gathering: (records.GATHERING, {"fanout"}, set()),
    Timer: (records.TIMER, set(), set()),
    Decision: (records.DECISION, set(), {"shared"}),
    Child: (records.CHILD, set(), set()),
    Message: (records.MESSAGE, set(), set()),
    Parent: (records.PARENT, set(), set()),
    Undo: (records.UNDO, set(), set()),
    Pending: (records.PENDING, set(), set()),
    Run: (records.RUN, {"parked"}, {"branches", "fanouts"}),
    Schedule: (records.SCHEDULE, set(), set()),
}


@pytest.mark.parametrize("kind", FIELDS, ids=lambda kind: kind.__name__)
def test_every_attribute_of_the_state_has_its_field(kind: type) -> None:
    record, derived, more = FIELDS[kind]
    attributes = set(getattr(kind, "_fields", ()) or kind.__slots__)  # type: ignore[attr-defined]
    assert {field["name"] for field in record["fields"]} - more == attributes - derived


def test_every_attribute_of_a_partition_has_its_field() -> None:
    fields = {field["name"] for field in records.PARTITION["fields"]}
    attributes = {name for name in vars(Fold(0, 1)) if not name.startswith("_")}
    assert fields - {"closed_key", "ever", "named"} == attributes - {"runs", "keeping", "saver"}


def everything() -> Fold:
    """A state in which everything there is room for is there."""
    fold = two_logs_of_runs().fold
    run = fold.runs[b"run-1"]
    pair = next(iter(run.owed.values()))
    outer = FanOut(run, b"f1", (b"t.A", b"t.B"), 2, (3, 4), 1, None)
    outer.branches = [Branch(outer, n, 10 + n, b"t.A") for n in range(2)]
    outer.live = 1
    inner = FanOut(run, b"f2", (b"t.C",), 1, (11,), 2, outer.branches[0])
    inner.branches = [Branch(inner, 0, 20, b"t.C")]
    for branch in (*outer.branches, *inner.branches):
        branch.open = 2
        branch.joins = {b"join": [[Fact(b"e", b"t.B", 21, 0, 1, branch)], []]}
        branch.latest = {b"t.C": Fact(b"l", b"t.C", 22, 0, 0, branch)}
        branch.last = {b"t.D": (23, 22)}
    outer.branches[1].open = -1
    outer.branches[0].forks = True
    gathering = Gathering(b"combine", outer, frozenset((b"t.E", b"t.F")), frozenset(), 1, 99)
    gathering.got = {1: Gift((5, 6), (b"t.E", b"t.E"), 0)}
    gathering.settled = 1
    outer.gatherings = [gathering, Gathering(b"other", outer, frozenset((b"t.E",)), None, 0, 0)]
    gone = FanOut(run, b"f3", (b"t.G",), 1, (12,), 0, None)
    gone.branches = [Branch(gone, 0, 30, b"t.G")]
    pending = run.pend()
    otherwise = Timer(b"o", b"t.H", 41, 1000, 1, 0, outer.branches[0], decision=b"d")
    pending.timers = {
        b"t1": Timer(b"t1", b"t.H", 40, 1000, 1, 2, inner.branches[0], frozenset((b"t.I",))),
        b"o": otherwise,
    }
    first = Decision(b"d", 42, (b"t.J", b"t.K"), 2, bytes(16), 0, outer.branches[0])
    first.votes, first.otherwise = {b"ann": b"t.J"}, otherwise
    second = Decision(b"d2", 43, (b"t.J",), 1, bytes(16), 0)
    second.otherwise = Timer(b"o2", b"t.H", 44, 1001, 0, 0)
    pending.decisions = {b"d": first, b"d2": second}
    pending.children = {b"c": Child(b"c", b"t.S", 45, b"other", b"key", 0, inner.branches[0], True)}
    pending.messages = {(b"c", 0): Message(b"c", 0, 1, b"other", b"key", 45, 7, 2, b"t.S")}
    pending.fanouts = {b"f1": outer, b"f2": inner}
    pending.lacking = {b"join": {inner.branches[0]: None, outer.branches[1]: None}}
    pending.held = {inner: Waiting(frozenset((b"t.B", b"t.X")))}
    pending.held[inner].branches[inner.branches[0]] = None
    pending.latest, pending.last = {b"t.C": Fact(b"l", b"t.C", 1, 0)}, {b"t.D": (2, 1)}
    pending.stack = [Undo(b"u", b"step", (1, 2), (b"t.A", b"t.B"), 3)]
    pending.parent = Parent(b"up", b"parent", b"me", 17, 2, True, False)
    pending.deadline, pending.undo, pending.told = 12345, True, 3
    item = Item(b"i", b"t.A", 50, 64, 5, 6, b"extra", b"t.A\0t.B")
    item.branch = gone.branches[0]
    pair.unfinished, pair.branch, pair.work = {(bytes(16), 2): {1: item}}, inner.branches[0], Working()
    pair.work.holder, pair.work.until, pair.work.lost, pair.work.once = bytes(16), 9, 2, {b"n": 3, b"m": 2}
    run.kept = [*(run.kept or ()), Fact(b"k", b"t.G", 31, 0, 0, gone.branches[0])]
    fold.keeping[run.id] = run
    fold.stopped = {b"step": (2, True), b"": (1, False)}
    schedule = fold.schedules[b"nightly"] = Schedule(b"nightly")
    schedule.last, schedule.waiting = 77, (78, b"w", 5)
    schedule.children = {b"c": Child(b"c", b"t.S", 45, b"", b"key", 0)}
    schedule.messages = {(b"c", 1): Message(b"c", 1, 9, b"", b"key", -1, 7)}
    return fold


def test_all_that_there_is_room_for_is_in_a_checkpoint() -> None:
    fold = everything()
    other = again(fold)
    for one, two in zip(fold.runs.values(), other.runs.values(), strict=True):
        assert plain(one) == plain(two)
    assert plain(fold.schedules) == plain(other.schedules)
    assert dict(sorted(fold.stopped.items())) == other.stopped
    assert saved(other) == saved(fold)
    pending = other.runs[b"run-1"].pending
    assert pending is not None
    assert pending.decisions is not None
    assert pending.timers is not None
    assert pending.decisions[b"d"].otherwise is pending.timers[b"o"]
    assert Result(other.runs[b"run-1"].result) is Result.NONE


def test_the_state_before_genesis_is_a_state_too() -> None:
    fold = Fold(1, 3)
    assert snapshot(again(fold)) == snapshot(fold)
    log = Log(genesis=False)
    log.contracts(a_contract("step", "A"))
    log.start()
    log.put(Record(b"r", None, log.stored[-1].headers))
    assert snapshot(again(log.fold)) == snapshot(log.fold)
