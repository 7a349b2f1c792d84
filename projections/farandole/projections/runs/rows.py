"""From records to rows: what each record of one partition changes in the tables.

Pure: it folds, and says what is to be written. What it says is a function of the log up to the record, so that it makes
no difference how records are cut into batches, who folds them, or whether the fold came from a checkpoint. For that, no
clock is asked; nothing is remembered from one batch to the next but the fold; and what a row needs that the fold does
not have is written with the record that has it.
"""

from collections.abc import Iterable
from typing import Any, Final

from farandole.eventstore import Stored
from farandole.projections.fold import Applied, Fold, Pair, PairKey, Run, Verdict
from farandole.schemas.envelope import Envelope, Flag, Kind

from .batch import Batch
from .governing import contract_changes, policy_changes, schedule_changes
from .open_runs import Touched, names, new_run, run_changes, step_row
from .payloads import NOTHING, Payload, Payloads, bounded, plain, text
from .using import usage_row
from .waits import Waits, begun, question, waits_of
from .who import who

KINDS: Final = {int(kind): kind.name.lower() for kind in Kind}
VERDICTS: Final = {int(verdict): verdict.name.lower() for verdict in Verdict}
_MINUTE: Final = 60_000
_MOST_ERROR: Final = 256
_MOST_FINGERPRINT: Final = 64
_LAST, _AFTER, _ASK, _TO_COME = int(Flag.LAST), int(Flag.AFTER), int(Flag.ASK), int(Flag.AFTER | Flag.ASK | Flag.CHILD)
_EDITED, _OF_SCHEDULE = int(Flag.EDITED), int(Flag.OF_SCHEDULE)
_OUTCOME, _START, _FAILURE, _LOST, _RETRY = map(int, (Kind.OUTCOME, Kind.START, Kind.FAILURE, Kind.LOST, Kind.RETRY))
_OF_EVENTS: Final = frozenset(map(int, (Kind.START, Kind.OUTCOME, Kind.SIGNAL, Kind.ANSWER, Kind.TIMER, Kind.EXPIRY)))
_OF_FAILURES: Final = frozenset(map(int, (Kind.FAILURE, Kind.LOST, Kind.EXPIRY)))
_OF_PAIRS: Final = frozenset(map(int, (Kind.FAILURE, Kind.LOST, Kind.CLAIM, Kind.SUBSTEP, Kind.EXPIRY)))
_SUBSTEP = int(Kind.SUBSTEP)
_POLICY, _TICK, _RESUME = int(Kind.POLICY), int(Kind.TICK), int(Kind.RESUME)
_TOLD: Final = (Verdict.ADMITTED, Verdict.HELD)

Parked = tuple[tuple[Run, PairKey], ...]


class Rows:
    """Folds one partition, and tells what changes.

    Args:
        fold: the state so far, which is folded on.
        payloads: reads the records' values.
        begins: runs that started at lower offsets are left out.
    """

    def __init__(self, fold: Fold, payloads: Payloads, begins: int = 0) -> None:
        self.fold = fold
        self.begins = begins
        self._payloads = payloads
        self._touched: dict[int, Touched] = {}
        self._pairs: dict[tuple[int, PairKey], Pair] = {}
        self._since = fold.position
        """Where this batch began."""

    def take(self, record: Stored, into: Batch) -> None:
        """Fold the next record.

        Raises:
            UnknownFoldVersion: nothing was changed, neither in the fold nor in the batch.
        """
        fold = self.fold
        run = fold.runs.get(record.key) if record.key is not None else None
        waits = waits_of(run) if run is not None and run.pending is not None else None
        parked = self._parked(run if record.key is not None else fold.runs.values())
        settling = fold.settling
        out = fold.apply(record)
        if out.envelope is None:
            self._unreadable(record, into)
        else:
            self._readable(record, out.envelope, out, waits, parked, into)
        if out.contracts or settling is not fold.settling:
            for each in fold.runs.values():
                self._touch(each)

    def _readable(
        self, record: Stored, e: Envelope, out: Applied, waits: Waits | None, parked: Parked, into: Batch
    ) -> None:
        payload = self._payloads.read(record, e) if record.value is not None else NOTHING
        run = out.run if out.run is not None and out.run.offset >= self.begins else None
        self._record(record, e, out, payload, run, into)
        if out.verdict is Verdict.ADMITTED or out.owed or out.settled or out.closed:
            self._effects(record, e, out, payload, run, waits, parked, into)
        if run is not None and e.flags & _ASK and not e.flags & _AFTER and e.kind == _OUTCOME and out.verdict in _TOLD:
            question(self.fold, run, record, e, out, payload, into)

    def settle(self, into: Batch) -> None:
        """The batch is over: tell how the runs and steps now stand that were touched."""
        fold, partition = self.fold, self.fold.partition
        for (offset, _), pair in self._pairs.items():
            self._step(step_row(partition, offset, pair, "parked" if pair.parked else "owed", None, None), pair, into)
        self._pairs.clear()
        for offset, touched in self._touched.items():
            into.runs.update((partition, offset), run_changes(fold, touched))
        self._touched.clear()
        self._since = fold.position

    # ── what every record leaves ─────────────────────────────────────────────────────────────────────────────────────

    def _unreadable(self, record: Stored, into: Batch) -> None:
        partition, offset = record.partition, record.offset
        into.records.insert(
            (partition, offset),
            [
                partition, offset, None, text(record.key or b"") or None, self.fold.log_time, "", "unreadable", "", "", "",
                "", "", 0, False, 0, 0, "", 0, None, None, None, None, None, None, "its headers cannot be read", None,
            ],
        )  # fmt: skip

    def _record(
        self, record: Stored, e: Envelope, out: Applied, payload: Payload, run: Run | None, into: Batch
    ) -> None:
        partition, offset = record.partition, record.offset
        took, place = offset if out.verdict is Verdict.ADMITTED else None, None
        for at, fact in enumerate(out.admitted):
            if fact.offset == offset:
                place = at
            else:
                into.records.update((partition, fact.offset), (offset, at))
                self._counts(fact.offset, into)
        by, why = who(e, payload)
        into.records.insert(
            (partition, offset),
            [
                partition, offset, None if run is None else run.offset, text(record.key) if record.key else None,
                self.fold.log_time, KINDS[e.kind], VERDICTS[out.verdict], text(e.id), names(e.type), names(e.reactor),
                text(e.causation), text(e.generation), e.attempt, bool(e.flags & _LAST), e.index, e.count, names(e.source),
                e.sent, by, why, took, place, payload.json, payload.personal, payload.problem, payload.words,
            ],
        )  # fmt: skip
        if payload.attributes and run is not None and e.kind in _OF_EVENTS and out.verdict in _TOLD:
            for name, value in payload.attributes if not e.flags & _TO_COME else ():
                key = (partition, offset, name)
                into.attributes.insert(key, [*key, run.offset, value, place is not None])
                into.named.setdefault((partition, offset), []).append(key)
        if payload.usage and run is not None and out.verdict in _TOLD:
            self._usage(record, e, out, payload, run, place is not None, into)

    def _usage(
        self, record: Stored, e: Envelope, out: Applied, payload: Payload, run: Run, counts: bool, into: Batch
    ) -> None:
        partition, offset = record.partition, record.offset
        if e.kind == _SUBSTEP:
            counts = out.verdict is Verdict.ADMITTED
        elif e.kind not in _OF_EVENTS or e.flags & _TO_COME:
            return
        for number, used in enumerate(payload.usage):
            key = (partition, offset, number)
            row = usage_row(*key, run.offset, self.fold.log_time, names(e.reactor), used, counts)
            into.usage.insert(key, row)
            into.used.setdefault((partition, offset), []).append(key)

    def _counts(self, offset: int, into: Batch) -> None:
        """An event that came before has entered the history: its run is found by what it has."""
        key = (self.fold.partition, offset)
        if key not in into.records.new:
            into.attributes_of.update(key, (True,))
            into.usage_of.update(key, (True,))
        for each in into.named.get(key, ()):
            into.attributes.update(each, (True,))
        for each in into.used.get(key, ()):
            into.usage.update(each, (True,))

    # ── what it does ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _effects(
        self, record: Stored, e: Envelope, out: Applied, payload: Payload, run: Run | None, waits: Waits | None,
        parked: Parked, into: Batch,
    ) -> None:  # fmt: skip
        touched = None if run is None else self._touch(run)
        if run is not None and touched is not None:
            if e.kind == _START and run.offset == record.offset:
                into.runs.insert((self.fold.partition, run.offset), new_run(self.fold, run, e))
            touched.last_at = record.offset
            touched.events += len(out.admitted)
            if out.admitted:
                touched.last_type = names(out.admitted[-1].type)
            if out.result:
                touched.ended = self.fold.log_time
            if e.kind == _RESUME and out.verdict is Verdict.ADMITTED:
                touched.resumed = self.fold.log_time
            if e.kind == _FAILURE or (e.kind in _OF_FAILURES and any(fact.id == e.id for fact in out.admitted[:1])):
                self._failure(record, e, out, payload, run, touched, into)
            if e.kind in _OF_PAIRS:
                self._pair(run, (e.causation, e.reactor, e.generation))
            if waits is not None:
                waits.ended(run, e, out, self.fold, into)
            if out.more is not None:
                begun(self.fold, run, record, out, into)
        for each, pair in out.settled:
            self._settled(each, pair, e, out, into)
        for each, pair in out.owed:
            self._touch(each)
            self._pair(each, pair.key)
        for each in out.closed:
            if (closed := self._touch(each)) is not None:
                closed.closed = self.fold.log_time
        if parked:
            self._gone(parked, out, into)
        if out.contracts:
            contract_changes(self.fold, out.contracts, out.offset, into)
        elif e.kind == _POLICY:
            policy_changes(self.fold, record, payload, into)
        elif record.key is not None and (e.kind == _TICK or e.flags & _OF_SCHEDULE):
            schedule_changes(self.fold, record.key, into)

    def _touch(self, run: Run) -> Touched | None:
        """The run may stand otherwise now; None if it is left out."""
        if run.offset < self.begins:
            return None
        touched = self._touched.get(run.offset)
        if touched is None:
            touched = self._touched[run.offset] = Touched(run)
        if not run.parked:
            touched.error = touched.fingerprint = ""
        return touched

    def _pair(self, run: Run, key: PairKey) -> None:
        """A pair may stand otherwise now, if it is still owed."""
        pair = run.owed.get(key)
        if pair is not None and run.offset >= self.begins:
            self._pairs[run.offset, key] = pair

    def _settled(self, run: Run, pair: Pair, e: Envelope, out: Applied, into: Batch) -> None:
        if self._touch(run) is None:
            return
        if pair.parked and run.owed.get(pair.key) is pair:
            self._pair(run, pair.key)
            self._count(pair.reactor, into, parked=1)
            return
        own = pair.reactor == e.reactor and pair.trigger == e.causation and pair.generation == e.generation
        state = "dropped"
        if own and e.kind == _OUTCOME:
            state = "done"
            self._count(pair.reactor, into, done=1, took=max(self.fold.log_time - pair.since, 0))
        elif own and e.kind in _OF_FAILURES:
            state = "failed"
        elif e.kind == _RETRY and e.flags & _EDITED:
            state = "edited"
        elif any(contract.renames == pair.reactor for contract in out.contracts):
            state = "renamed"
        self._ended(run, pair, state, into)

    def _ended(self, run: Run, pair: Pair, state: str, into: Batch) -> None:
        self._pairs.pop((run.offset, pair.key), None)
        fold, offset = self.fold, run.offset
        row = step_row(fold.partition, offset, pair, state, fold.position - 1, fold.log_time)
        self._step(row, pair, into)

    def _step(self, row: list[Any], pair: Pair, into: Batch) -> None:
        """A step that became owed with this batch is hardly in the tables: only one that queued anew has the same key."""
        key = (row[0], row[1], row[2], row[3], row[4])
        steps = into.steps
        if pair.at >= self._since and key not in steps.put:
            steps.likely[key] = row
        else:
            steps.put[key] = row

    def _count(
        self, reactor: bytes, into: Batch, done: int = 0, failed: int = 0, parked: int = 0, took: int = 0
    ) -> None:
        key = (self.fold.partition, names(reactor), self.fold.log_time // _MINUTE * _MINUTE)
        row = into.minutes.put.get(key)
        if row is None:
            into.minutes.upsert(key, [*key, done, failed, parked, took, took])
            return
        row[3] += done
        row[4] += failed
        row[5] += parked
        row[6] += took
        if took > row[7]:
            row[7] = took

    def _failure(
        self, record: Stored, e: Envelope, out: Applied, payload: Payload, run: Run, touched: Touched, into: Batch
    ) -> None:
        fields = payload.fields or {}
        error, *rest = (plain(str(fields.get(name) or "")) for name in ("error", "message", "traceback", "fingerprint"))
        error, rest[-1] = error[:_MOST_ERROR] or ("lost" if e.kind == _LOST else ""), rest[-1][:_MOST_FINGERPRINT]
        final = bool(out.settled)
        key = (record.partition, record.offset)
        into.failures.insert(
            key,
            [
                *key, run.offset, text(e.id), names(e.reactor), text(e.causation), text(e.generation), e.attempt, final,
                self.fold.log_time, None if final else bounded(self.fold.log_time + e.delay), error, *rest,
            ],
        )  # fmt: skip
        touched.failures += 1
        self._count(e.reactor, into, failed=1)
        if any(pair.parked and run.owed.get(pair.key) is pair for _, pair in out.settled):
            touched.error, touched.fingerprint = error, rest[-1]

    # ── parked steps ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _parked(self, runs: "Run | Iterable[Run] | None") -> Parked:
        """Steps that are parked now: a record may take them away without telling."""
        if isinstance(runs, Run):
            return () if not runs.parked else tuple((runs, key) for key, pair in runs.owed.items() if pair.parked)
        return tuple((run, key) for run in runs or () if run.parked for key, pair in run.owed.items() if pair.parked)

    def _gone(self, parked: Parked, out: Applied, into: Batch) -> None:
        """What overflowed waits in its join again; what was renamed is owed by another reactor."""
        told = {(id(run), pair.key) for run, pair in out.settled}
        renamed = {contract.renames: contract.reactor for contract in out.contracts if contract.renames}
        for run, key in parked:
            if key in run.owed or (id(run), key) in told or self._touch(run) is None:
                continue
            trigger, reactor, generation = key
            pair = Pair(trigger, reactor, generation, (), (), self.fold.log_time)
            moved = (trigger, renamed.get(reactor, reactor), generation)
            if reactor in renamed and moved in run.owed:
                self._pair(run, moved)
                self._ended(run, pair, "renamed", into)
            else:
                self._ended(run, pair, "queued", into)
