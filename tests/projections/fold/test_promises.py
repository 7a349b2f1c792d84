"""Each promise of the design as an invariant, on random logs of one partition.

Records are written by the scribe that workers and clients use. Attempts are as careless as real ones: outcomes differ from
attempt to attempt, come in pieces, twice, late and after one another.
"""

from collections import Counter
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from farandole.eventstore import Record, Stored
from farandole.projections.fold import Applied, Fold, Pair, Result, Run, Verdict, status_of
from farandole.reactors.scribe import Scribe
from farandole.schemas import End, Event, EventTypes, Start
from farandole.schemas.envelope import Kind, unpack


class Begun(Start):
    n: int = 0


class Went(Event):
    n: int = 0


class Met(Event):
    n: int = 0


class Done(End):
    n: int = 0


RUNS = [b"one", b"two", b"three"]
TAKES = {
    "go": [["dance.Begun"]],
    "on": [["dance.Went"]],
    "meet": [["dance.Went"], ["dance.Met"]],
    "thank": [["dance.Done"]],
}
runs = st.sampled_from(RUNS)
outcomes = st.lists(st.sampled_from([Went, Met, Done]), max_size=4)


class Promises(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now = 1_000_000
        types = EventTypes("dance", [Begun, Went, Met, Done])
        self.scribe = Scribe("dance", "hall", types, lambda: self.now * 1000)
        self.fold = Fold(0, 1)
        self.log: list[Stored] = []
        self.verdicts: list[Verdict] = []
        self.known: list[tuple[bytes, Pair]] = []
        self.sent: list[Record] = []
        self.opened: Counter[bytes] = Counter()
        self.outcomes: Counter[tuple[bytes, bytes, bytes]] = Counter()
        self.history: dict[bytes, list[tuple[bytes, bytes, int, int]]] = {}
        self.results: dict[bytes, tuple[Result, int]] = {}
        self.runs: dict[bytes, Run] = {}
        contracts = [
            {"reactor": name, "service": "hall", "takes": takes, "forms": ["event"] * len(takes), "gives": []}
            for name, takes in TAKES.items()
        ]
        content = {"log_id": "log", "partitions": 1, "fold_version": 1, "settings": {}}
        for record in [*self.scribe.control(Kind.GENESIS, [content]), *self.scribe.control(Kind.CONTRACT, contracts)]:
            self.take(record)

    def take(self, record: Record) -> Applied:
        """The log takes a record, and everybody folds it."""
        self.now += 1
        stored = Stored(0, len(self.log), self.now, record.key, record.value, record.headers)
        self.log.append(stored)
        self.sent.append(record)
        out = self.fold.apply(stored)
        self.verdicts.append(Verdict(out.verdict))
        self.known += [(run.id, pair) for run, pair in out.owed]
        e = unpack(record.headers)
        if out.verdict is Verdict.ADMITTED and out.run is not None:
            self.runs[out.run.id] = out.run
            if e.kind == Kind.START:
                self.opened[out.run.id] += 1
            if e.kind == Kind.OUTCOME:
                self.outcomes[(e.causation, e.reactor, e.generation)] += 1
                held = {fact.offset: unpack(self.log[fact.offset].headers) for fact in out.admitted}
                self.history.setdefault(out.run.id, []).extend(
                    (its.append, its.causation, its.index, its.count) for its in held.values()
                )
            if out.result is not Result.NONE:
                assert out.run.id not in self.results
                self.results[out.run.id] = (out.run.result, out.run.result_offset)
        return out

    @rule(run=runs)
    def somebody_starts_a_run(self, run: bytes) -> None:
        self.take(self.scribe.start(run, Begun()))

    @precondition(lambda self: self.known)
    @rule(data=st.data(), events=outcomes, cut=st.integers(0, 4))
    def an_attempt_appends_an_outcome_or_a_piece_of_one(self, data: Any, events: list[Any], cut: int) -> None:
        run, pair = data.draw(st.sampled_from(self.known[-20:]))
        records = self.scribe.outcome(run, pair, [event(n=cut) for event in events]).records
        for record in records[: len(records) - cut] if cut < len(records) else records:
            self.take(record)

    @precondition(lambda self: self.known)
    @rule(data=st.data(), last=st.booleans())
    def an_attempt_fails(self, data: Any, last: bool) -> None:
        run, pair = data.draw(st.sampled_from(self.known[-20:]))
        content = {"error": "E", "message": "", "traceback": "", "fingerprint": ""}
        self.take(self.scribe.failure(run, pair, pair.attempts + 1, content, last=last, delay_ms=5))

    @rule(data=st.data())
    def anything_that_was_sent_arrives_again(self, data: Any) -> None:
        self.take(data.draw(st.sampled_from(self.sent[-30:])))

    @rule(run=runs)
    def somebody_cancels(self, run: bytes) -> None:
        self.take(self.scribe.command(Kind.CANCEL, run, {}, self.now + 50))

    @rule(run=runs)
    def somebody_retries(self, run: bytes) -> None:
        open_run = self.fold.runs.get(run)
        parked = [p.parked for p in open_run.owed.values() if p.parked] if open_run else []
        for failure in parked:
            content = {"failure_id": failure.decode()}
            self.take(self.scribe.command(Kind.RETRY, run, content, self.now + 50, causation=failure))

    @invariant()
    def a_step_has_one_outcome(self) -> None:
        assert all(count == 1 for count in self.outcomes.values())

    @invariant()
    def no_outcome_is_torn_and_no_two_attempts_mix(self) -> None:
        for records in self.history.values():
            by_step: dict[tuple[bytes, int], set[int]] = {}
            for append, _, index, count in records:
                by_step.setdefault((append, count), set()).add(index)
            for (_, count), indices in by_step.items():
                assert indices == set(range(count))

    @invariant()
    def the_first_answer_wins_and_stays(self) -> None:
        for run_id, (result, offset) in self.results.items():
            run = self.runs[run_id]
            assert (run.result, run.result_offset) == (result, offset)

    @invariant()
    def a_run_is_started_once(self) -> None:
        assert all(count == 1 for count in self.opened.values())

    def teardown(self) -> None:
        """Recovery is reading, and every status is computed: who begins at offset 0, or goes on from any place, agrees."""
        again = Fold(0, 1)
        assert [Verdict(again.apply(record).verdict) for record in self.log] == self.verdicts
        assert again.digest == self.fold.digest
        assert {r.id: status_of(again, r) for r in again.runs.values()} == {
            r.id: status_of(self.fold, r) for r in self.fold.runs.values()
        }


Promises.TestCase.settings = settings(
    max_examples=60, stateful_step_count=60, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestPromises = Promises.TestCase
