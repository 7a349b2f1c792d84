"""Random logs: after every record the fold and a naive model of the protocol know the same, and its promises hold."""

import copy
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from tests.projections.fold.checkpointing import again
from tests.projections.fold.drawing import FEATURES
from tests.projections.fold.log import (
    FINAL,
    NO_REACTOR,
    a_contract,
    a_failure,
    a_head,
    an_id,
    an_outcome,
    control_records,
    wire,
)
from tests.projections.fold.model import Model, Stop
from tests.projections.fold.snapshot import snapshot

from farandole.eventstore import Record, Stored
from farandole.projections.fold import Applied, Fold, Pair, UnknownFoldVersion
from farandole.schemas.envelope import Header, Kind

pytestmark = [pytest.mark.slow, pytest.mark.computes, pytest.mark.timeout(600)]

RUNS = [b"a", b"b", b"c", b"elsewhere", b""]
"""In a log of two partitions the first three are of partition 0, the fourth is not."""
TYPES = "ABCDE"
REACTORS = ["p", "q", "r", "s"]
SETTINGS = {
    "dedup_window": [0, 50, 1000],
    "dedup_most": [0, 1, 3, 48, 1000],
    "settle": [0, 100, 10_000],
    "drain": [0, 1, 3],
    "expire_after": [0, 20],
    "kept": [0, 1, 3],
    "join_most": [0, 1, 2, 100],
    "ahead": [0, 100, 1000],
    **{name: values for feature in FEATURES for name, values in feature.SETTINGS.items()},
}
WEIGHTS = {
    "start": 3, "work": 10, "race": 2, "fail": 6, "signal": 5, "cancel_or_pause": 2, "retry": 4, "owe": 2, "expire": 1,
    "publish": 4, "setting": 1, "odd_control": 1, "time_passes": 3, "again": 1, "noise": 1, "copy_the_fold": 1,
    **{name: weight for feature in FEATURES for name, weight in feature.WEIGHTS.items()},
}  # fmt: skip

types = st.sampled_from(TYPES)
flags = st.sampled_from([0] * 16 + [1, 1, FINAL, NO_REACTOR, NO_REACTOR | 1, 8, 2])
some_id = st.sampled_from([None] * 9 + [b"x1", b"x2", b"x" * 256])
"""Of starts and commands: mostly new ones, sometimes one that others have."""
until = st.sampled_from([300] * 12 + [10_000, 20, 1, 0, -5])
actions = st.lists(
    st.sampled_from([name for name, weight in WEIGHTS.items() for _ in range(weight)]), min_size=4, max_size=4
)


@st.composite
def contracts(draw: st.DrawFn) -> dict[str, Any]:
    form = draw(st.sampled_from(["event"] * 10 + ["failed"] * 4 + ["list"] * 4 + ["either", "child_done"]))
    if form == "failed":
        takes = [draw(st.lists(types, max_size=2, unique=True))]
    else:
        loose = draw(st.integers(0, 19)) == 13
        named = draw(st.lists(types, min_size=0 if loose else 1, max_size=4, unique=not loose))
        cut = draw(st.sampled_from([1, 1, 2, 2, 3]))
        takes = [part for i in range(cut) if (part := named[i::cut])] or [[]]
    content = a_contract(
        draw(st.sampled_from(REACTORS)),
        *("|".join(part) for part in takes),
        form=form,
        each=draw(st.sampled_from(["t.A", "t.A", ""])) if form == "list" else "",
        of=draw(st.lists(st.sampled_from(REACTORS), max_size=1)) if form in ("failed", "list") else [],
        version=draw(st.sampled_from(["", "", "2"])),
        signals=[f"t.{takes[0][0]}"] if takes[0] and draw(st.integers(0, 3)) == 0 else [],
        state=draw(st.sampled_from(["active"] * 12 + ["retired_drop", "retired_keep", "retired_keep", "asleep"])),
        renames=draw(st.sampled_from([""] * 12 + REACTORS)),
        **{name: draw(values) for feature in FEATURES for name, values in feature.CONTRACT.items()},
    )
    if form == "either" or (form == "list" and draw(st.booleans())):
        content["takes"][0].append(draw(st.sampled_from(["failed:", "failed:t.A", "failed:t.B"])))
    return content


class Logs(*FEATURES, RuleBasedStateMachine):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__()
        self.fold, self.model = Fold(0, 2), Model(0, 2)
        self.known = snapshot(self.fold)
        self.now = 1000
        self.stored: list[Stored] = []
        self.seen: list[tuple[bytes, Pair]] = []
        """Every pair that was ever owed, as it was when it was first owed: zombies work on those."""
        self.copies: list[tuple[int, Fold]] = []

    @initialize(data=st.data(), late=st.integers(0, 5))
    def begin(self, data: st.DataObject, late: int) -> None:
        if late:
            choice = {name: st.sampled_from(values) for name, values in SETTINGS.items()}
            self.genesis(data.draw(st.fixed_dictionaries({}, optional=choice)))
        self.publish(data)
        self.start(data)

    @rule(data=st.data(), names=actions)
    def some_records(self, data: st.DataObject, names: list[str]) -> None:
        for name in names:
            getattr(self, name)(data)

    # ── appending ────────────────────────────────────────────────────────────────────────────────────────────────────

    def put(self, *records: Record) -> None:
        for record in records:
            stored = Stored(0, len(self.stored), self.now, record.key, record.value, record.headers)
            before = self.known
            try:
                out = self.fold.apply(stored)
            except UnknownFoldVersion:
                with pytest.raises(Stop):
                    self.model.apply(stored)
                assert snapshot(self.fold) == before
                continue
            self.stored.append(stored)
            results = len(self.model.results)
            assert out.verdict.name == self.model.apply(stored)
            assert [out.result.name] == ([result for _, result in self.model.results[results:]] or ["NONE"])
            self.known = after = snapshot(self.fold)
            assert after == self.model.snapshot()
            self.check_effects(out, before, after)

    def check_effects(self, out: Applied, before: dict[str, Any], after: dict[str, Any]) -> None:
        if out.verdict.refused or out.verdict.name == "HELD":
            assert not (out.admitted or out.owed or out.settled or out.closed or out.contracts or out.result)
        was = {(run, key): pair for run, state in before["runs"].items() for key, pair in state["owed"].items()}
        now = {(run, key): pair for run, state in after["runs"].items() for key, pair in state["owed"].items()}
        told = {(run.id, pair.key): pair for run, pair in out.owed}
        assert {place for place in told if now[place]["parked"]} == set()
        for place, pair in now.items():
            if not pair["parked"] and (place not in was or was[place]["parked"]):
                assert place in told, "a pair became owed and nobody was told"
        let_go = {(run.id, pair.key) for run, pair in out.settled}
        for place, pair in was.items():
            if place not in now and not pair["parked"]:
                assert place in let_go, "a pair went and nobody was told"
        for run, pair in out.owed:
            self.seen.append((run.id, copy.copy(pair)))
        for run_id in before["runs"].keys() - after["runs"].keys():
            assert run_id in {run.id for run in out.closed}
        for run in {id(run): run for run, _ in out.owed}.values():
            assert run.parked == sum(bool(pair.parked) for pair in run.owed.values())

    # ── clients ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def draw_run(self, data: st.DataObject) -> bytes:
        return data.draw(st.sampled_from(list(self.fold.runs) * 5 + RUNS))

    def head(self, data: st.DataObject, kind: Kind, **more: Any) -> list[Header]:
        return a_head(kind, id=data.draw(some_id) or an_id(), not_after=self.within(data), **more)

    def within(self, data: st.DataObject) -> int:
        time = data.draw(until)
        return time and self.now + time

    def start(self, data: st.DataObject) -> None:
        run, not_after = data.draw(st.sampled_from(RUNS[:3] * 4 + RUNS)), data.draw(st.sampled_from([0] * 8 + [-5, 20]))
        head = a_head(
            Kind.START, id=data.draw(some_id) or an_id(), type=wire(data.draw(types)), flags=data.draw(flags),
            not_after=not_after and self.now + not_after,
        )  # fmt: skip
        self.put(Record(run, b"", head))

    def signal(self, data: st.DataObject) -> None:
        head = self.head(data, Kind.SIGNAL, type=wire(data.draw(types)), flags=data.draw(flags))
        self.put(Record(self.draw_run(data), b"", head))

    def cancel_or_pause(self, data: st.DataObject) -> None:
        kind = data.draw(st.sampled_from([Kind.CANCEL, Kind.PAUSE, Kind.RESUME, Kind.PAUSE, Kind.RESUME, Kind.TIMER]))
        self.put(Record(self.draw_run(data), b"", self.head(data, kind)))

    def retry(self, data: st.DataObject) -> None:
        parked = [(run.id, pair.parked) for run in self.fold.runs.values() for pair in run.owed.values() if pair.parked]
        run, failure = data.draw(st.sampled_from(parked * 8 + [(b"a", b""), (b"b", b"f")]))
        self.put(Record(run, b"", self.head(data, Kind.RETRY, causation=failure)))

    def owe(self, data: st.DataObject) -> None:
        reactor = data.draw(st.sampled_from([*REACTORS * 3, "nobody", "\x80"])).encode("latin-1")
        trigger = data.draw(st.sampled_from([b"x1", b"x2", b"x3", b""]))
        extra = (bytes(7) + b"\7" + wire(data.draw(types)))[: data.draw(st.sampled_from([11] * 8 + [9, 8, 0]))]
        head = self.head(data, Kind.OWE, causation=trigger, reactor=reactor, extra=extra)
        self.put(Record(self.draw_run(data), b"", head))

    # ── workers ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def draw_pair(self, data: st.DataObject) -> tuple[bytes, Pair] | None:
        owed = [(run.id, pair) for run in self.fold.runs.values() for pair in run.owed.values()]
        known = owed * 4 + self.seen[-len(owed) - 3 :]
        return data.draw(st.sampled_from(known)) if known else None

    def work(self, data: st.DataObject) -> None:
        """An outcome, mostly whole; else torn, out of order or doubled."""
        if (drawn := self.draw_pair(data)) is None:
            return
        append = data.draw(st.sampled_from([None] * 9 + [b"same" * 4]))
        emitted = data.draw(st.lists(types, max_size=3))
        records = an_outcome(*drawn, *emitted, flags=data.draw(flags), append=append)
        if len(records) > 1 and data.draw(st.integers(0, 2)) == 0:
            records = data.draw(st.lists(st.sampled_from(records), max_size=4))
        self.put(*records)

    def race(self, data: st.DataObject) -> None:
        """Outcomes of several workers for one pair, interleaved."""
        if (drawn := self.draw_pair(data)) is None:
            return
        emitted = data.draw(st.lists(st.tuples(types, types), min_size=2, max_size=6))
        records = [record for types in emitted for record in an_outcome(*drawn, *types)]
        self.put(*data.draw(st.permutations(records))[: data.draw(st.integers(1, len(records)))])

    def fail(self, data: st.DataObject) -> None:
        if (drawn := self.draw_pair(data)) is None:
            return
        attempt = max(drawn[1].attempts + data.draw(st.sampled_from([1] * 8 + [0, 2])), 0)
        delay = data.draw(st.sampled_from([0, 30, -3]))
        self.put(a_failure(*drawn, last=data.draw(st.booleans()), delay=delay, attempt=attempt))

    def expire(self, data: st.DataObject) -> None:
        self.put(Record(self.draw_run(data), b"", a_head(Kind.EXPIRE)))

    def publish(self, data: st.DataObject) -> None:
        contents = data.draw(st.lists(contracts(), min_size=1, max_size=3))
        for content in contents:
            in_force = self.fold.contracts.get((content["renames"] or content["reactor"]).encode())
            content["replaces"] = in_force.id if in_force else ""
        if data.draw(st.integers(0, 9)) == 7:
            contents[0]["replaces"] = "no such contract"
        records = control_records(Kind.CONTRACT, *contents)
        if len(records) > 1 and data.draw(st.integers(0, 5)) == 3:
            records = data.draw(st.lists(st.sampled_from(records), max_size=3))
        self.put(*records)

    # ── operators, time and noise ────────────────────────────────────────────────────────────────────────────────────

    def genesis(self, values: dict[str, int], log_id: str = "log", version: int = 1) -> None:
        content = {"log_id": log_id, "partitions": 2, "fold_version": version, "settings": values}
        self.put(*control_records(Kind.GENESIS, content))

    def setting(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from([*SETTINGS, "no_such"]))
        value = data.draw(st.sampled_from([*SETTINGS.get(name, [0]), -1]))
        old = getattr(self.fold.settings, name, 0) + data.draw(st.sampled_from([0, 0, 0, 1]))
        self.put(*control_records(Kind.SETTING, {"name": name, "value": value, "replaces": old}))

    def odd_control(self, data: st.DataObject) -> None:
        if data.draw(st.booleans()):
            self.put(*control_records(Kind.VERSION, {"version": data.draw(st.sampled_from([0, 1, 2, 99]))}))
            return
        values = data.draw(
            st.dictionaries(st.sampled_from(list(SETTINGS)), st.sampled_from([-1, 0, 2, 100]), max_size=2)
        )
        log_id, version = data.draw(st.sampled_from(["log", "", "n" * 65])), data.draw(st.sampled_from([1, 1, 1, 0, 2]))
        self.genesis(values, log_id, version)

    def time_passes(self, data: st.DataObject) -> None:
        self.now = max(self.now + data.draw(st.sampled_from([0, 1, 5, 30, 200, 5000, -100])), 1)

    def again(self, data: st.DataObject) -> None:
        if self.stored:
            old = data.draw(st.sampled_from(self.stored[-30:]))
            self.put(Record(old.key, old.value, old.headers))

    def noise(self, data: st.DataObject) -> None:
        """A record of the log with one byte of its packed header changed, perhaps under another key or with no value."""
        if not self.stored:
            return
        old = data.draw(st.sampled_from(self.stored[-30:]))
        at, byte = data.draw(st.integers(0, 90)), data.draw(st.integers(0, 255))
        headers = [
            (n, v[:at] + bytes([byte]) + v[at + 1 :] if n == "fa" and at < len(v) else v) for n, v in old.headers
        ]
        key = data.draw(st.sampled_from([old.key, old.key, None, *RUNS]))
        self.put(Record(key, data.draw(st.sampled_from([old.value, b"", None])), headers))

    def copy_the_fold(self, data: st.DataObject) -> None:
        if len(self.copies) < 3:
            restored = data.draw(st.booleans())
            self.copies.append((len(self.stored), again(self.fold) if restored else copy.deepcopy(self.fold)))

    # ── promises ─────────────────────────────────────────────────────────────────────────────────────────────────────

    @invariant()
    def no_step_has_two_outcomes(self) -> None:
        done = [(debt.run.offset, debt.key) for debt in self.model.debts if debt.became in ("discharged", "handled")]
        ids = [event.id for _, event in self.model.admitted if not event.id.startswith(b"x")]
        assert len(done) == len(set(done)) or self.ids_were_reused
        assert len(ids) == len(set(ids)) or self.ids_were_reused

    @property
    def ids_were_reused(self) -> bool:
        """Ids from outside are drawn from a few, so that they do repeat; what derives from them then repeats too."""
        outside = [event.id for _, event in self.model.admitted if event.id.startswith(b"x")]
        commands = [id for _, id in self.model.commands]
        return len(outside) != len(set(outside)) or len(commands) != len(set(commands))

    @invariant()
    def nothing_is_forgotten(self) -> None:
        """What was owed and is owed no longer has an outcome, was handled, or was dropped by a record that says so."""
        owed = {(run.id, key) for run in self.fold.runs.values() for key in run.owed}
        assert owed == {(debt.run.id, debt.key) for debt in self.model.debts if debt.became == "owed"}
        for run in self.fold.runs.values():
            assert run.parked == sum(bool(pair.parked) for pair in run.owed.values())
            assert all(len(pair.unfinished or ()) <= 4 for pair in run.owed.values())
            assert run.owed or run.state.name == "OPEN" or (run.pending is not None and run.pending.holds())
        assert len(self.fold.frames) <= 4
        assert set(self.fold.keeping) == {run.id for run in self.fold.runs.values() if run.kept}

    def teardown(self) -> None:
        expected = snapshot(self.fold)
        at_once = Fold(0, 2)
        for record in self.stored:
            at_once.apply(record)
        assert snapshot(at_once) == expected
        for position, fold in self.copies:
            shuffle(fold, random.Random(position))
            for record in self.stored[position:]:
                fold.apply(record)
            assert snapshot(fold) == expected


def shuffle(fold: Fold, rng: random.Random) -> None:
    """Give every dict that carries no order another one, as a reader that restored its state might."""

    def shuffled(d: dict[Any, Any]) -> dict[Any, Any]:
        items = list(d.items())
        rng.shuffle(items)
        return dict(items)

    for run in fold.runs.values():
        run.owed = shuffled(run.owed)
        run.joins = run.joins and shuffled(run.joins)
    fold.runs, fold.keeping = shuffled(fold.runs), shuffled(fold.keeping)
    fold.contracts._in_force = shuffled(fold.contracts._in_force)


TestLogs = Logs.TestCase
TestLogs.settings = settings(
    max_examples=200,
    stateful_step_count=50,
    deadline=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
)
