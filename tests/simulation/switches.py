"""Each rule of the protocol, and how the simulation does without it. The product has no such switches: it is patched."""

import asyncio
from collections.abc import Container, Mapping, Sequence
from functools import partial
from hashlib import blake2b
from itertools import count
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch

from farandole.eventstore import AppendUnknown, NotAppended, Record, Stored, StoreUnavailable
from farandole.projections.fold import (
    Contract,
    Fact,
    Fold,
    Pair,
    Result,
    Run,
    RunState,
    Turn,
    Verdict,
    admission,
    closed,
    commands,
    owing,
)
from farandole.projections.fold import fold as folding
from farandole.projections.fold.applied import Applied
from farandole.projections.fold.framing import collect
from farandole.reactors import attempt, dispatch, history, outbox, partition, plan, scribe
from farandole.reactors.dispatch import Dispatcher, Work
from farandole.schemas import system_records
from farandole.schemas.envelope import Envelope, Flag, Kind

from .process import PROCESS
from .rules import Rule, Switch

if TYPE_CHECKING:
    from .world import World


def _instead(where: object, name: str, what: object) -> Switch:
    return partial(patch.object, where, name, what)


def _rule(kind: Kind, rule: Any) -> Switch:
    return partial(patch.dict, admission.RUN_RULES, {kind: rule})


# ── the fold ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _as_they_come(fold: Fold, run: Run, record: Stored, e: Envelope, out: Applied) -> Verdict:
    """Each event of an outcome counts at once, and the last one discharges the pair."""
    key = (e.causation, e.reactor, e.generation)
    pair = run.owed.get(key)
    if pair is None or pair.parked:
        return Verdict.NOT_OWED
    if e.index + 1 >= e.count:
        del run.owed[key]
        out.settled.append((run, pair))
    if e.count:
        admission._take(fold, run, Fact(e.id, fold.intern(e.type), record.offset, e.flags), pair.hops, out)
    return Verdict.ADMITTED


def _owed_or_not(fold: Fold, run: Run, record: Stored, e: Envelope, out: Applied) -> Verdict:
    """An outcome counts whether or not its pair is owed."""
    if (e.causation, e.reactor, e.generation) in run.owed or e.count > 1 or e.reactor == b"nobody":
        return admission.outcome(fold, run, record, e, out)
    if e.count:
        admission._take(fold, run, Fact(e.id, fold.intern(e.type), record.offset, e.flags), 0, out)
    return Verdict.ADMITTED


def _every_failure(fold: Fold, run: Run, record: Stored, e: Envelope, out: Applied) -> Verdict:
    """A failure counts whichever attempt it is of."""
    pair = run.owed.get((e.causation, e.reactor, e.generation))
    if pair is not None:
        e = e._replace(attempt=pair.attempts + 1)
    return admission.failure(fold, run, record, e, out)


def _same_generation(fold: Fold, run: Run, record: Stored, e: Envelope, out: Applied) -> Verdict:
    """What is owed anew is the pair that it was."""
    if fold.contracts.get(e.reactor) is None or not e.causation:
        return Verdict.NO_CONTRACT
    offset, type = int.from_bytes(e.extra[:8], "big"), fold.intern(e.extra[8:])
    pair = Pair(e.causation, fold.contracts[e.reactor].reactor, b"", (offset,), (type,), fold.log_time)
    if run.owed.setdefault(pair.key, pair) is not pair:
        return Verdict.REPEATED
    out.owed.append((run, pair))
    return Verdict.ADMITTED


def _ends_at_once(fold: Fold, run: Run, fact: Fact, hops: int, out: Applied) -> None:
    """Every End drops what is owed, and owes nothing itself."""
    final = fact.flags & Flag.FINAL_END
    if not fact.flags & Flag.END or final or run.state is not RunState.OPEN:
        _take(fold, run, fact, hops, out)
        return
    out.admitted.append(fact)
    run.turn(Turn.END)
    run.result, run.end, run.result_offset = Result.ENDED, fact.type, fact.offset
    out.result = Result.ENDED
    owing.drop(run, run.owed.values(), out)


_take = admission._take


def _any_contract(fold: Fold, record: Stored, e: Envelope, out: Applied) -> Verdict:
    """A contract comes into force whatever it replaces."""
    read = Contract.read(system_records.CONTRACT.decode(record.value))
    contracts = collect(fold.frames, e, read)
    if contracts is None:
        return Verdict.HELD
    owing.enforce(fold, tuple(contracts), out)
    return Verdict.ADMITTED


def _keep_nothing_later(fold: Fold, run: Run, event: Any) -> None:
    if fold.settling:
        _keep(fold, run, event)


_keep = owing._keep


class _Clock:
    """Each reader goes by its own clock instead of log time."""

    world: "World"

    @classmethod
    def prepare(cls, world: "World") -> None:
        cls.world = world


def _by_own_clock(fold: Fold, record: Stored) -> Applied:
    world, process = _Clock.world, PROCESS.get()
    now = world.time()
    if process is not None:
        now += next(m.skew for m in (*world.workers, *world.clients) if m.process is process)
    return _apply(fold, record._replace(time=now))


_apply = Fold.apply


# ── the writers ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _ids_by_chance() -> Any:
    numbers = count()

    def some_id(*parts: object) -> bytes:
        return blake2b(b"%d" % next(numbers), digest_size=16).hexdigest().encode()

    return patch.object(scribe, "derived_id", some_id)


def _all_of_ours(serving: partition.Serving) -> None:
    """Serve every reactor that the code has, whatever contract is in force."""
    serving.served = {n: r for n, (r, _) in serving._mine.items() if serving.fold.contracts.get(n) is not None}


def _always_publish(serving: partition.Serving, take_over: bool) -> Sequence[Mapping[str, object]]:
    """Write every contract that is not in force."""
    wanted = []
    for name, (_, contract) in serving._mine.items():
        in_force = serving.fold.contracts.get(name)
        if in_force is None or in_force.id != contract.id:
            wanted.append({**contract.content, "replaces": in_force.id if in_force is not None else ""})
    return wanted


async def _append_once(box: outbox.Outbox, partition: int, records: Sequence[Record]) -> None:
    """Take an append of unknown fate for made."""
    try:
        await _append(box, partition, records)
    except AppendUnknown:
        return


async def _append(box: outbox.Outbox, partition: int, records: Sequence[Record]) -> None:
    while True:
        try:
            await box._store.append(partition, records)
        except (NotAppended, StoreUnavailable):
            await asyncio.sleep(0.1)
        else:
            return


async def _without_reading(dispatcher: Dispatcher, work: Work) -> None:
    """Once done, look whether the step is owed, without having read what became of it."""
    await _begin(dispatcher, work)
    if work.owed and dispatcher._works.get(work.pair) is work and work.running:
        dispatcher.again(work, 0.1)


_begin = Dispatcher._begin


class _Anything:
    def __contains__(self, _: object) -> bool:
        return True


def _by_offset(
    index: history.HistoryIndex, run_id: bytes, types: Container[bytes] | None, upto: Sequence[int]
) -> list[int] | None:
    """What stands before the trigger in the log, admitted before it or not."""
    found = _offsets(index, run_id, types, _Anything())
    return None if found is None else sorted(offset for offset in found if offset <= max(upto))


_offsets = history.HistoryIndex.offsets


def _forget_at_once(dispatcher: Dispatcher, serving: partition.Serving) -> None:
    """A partition that is revoked takes its handlers at work with it."""
    dispatcher.forget(serving)


# ── a reader that goes wrong ─────────────────────────────────────────────────────────────────────────────────────────


def corrupt(world: "World") -> None:
    """Let one worker lose a run from its state, as a bug or a broken machine would."""

    def lose() -> None:
        for machine in world.alive():
            if machine.worker is not None:
                for serving in machine.worker.partitions.values():
                    for run in [run for run in serving.fold.runs.values() if run.owed]:
                        world.note(f"{machine} loses {run.id.decode()}")
                        del serving.fold.runs[run.id]
                        return
        if not world.calm:
            world.later(0.5, lose)

    world.later(6.0, lose)


def _rule_table() -> list[Rule]:
    fold = partial(Rule, prepare=None)
    return [
        fold("framing", "6", "torn or mixed", [_rule(Kind.OUTCOME, _as_they_come)]),
        fold("one outcome for a pair", "6", "two admitted outcomes", [_rule(Kind.OUTCOME, _owed_or_not)]),
        fold("derived ids", "3", "a second id for event", [_ids_by_chance]),
        fold("an End that drains", "5", "should be owed, and is not", [_instead(admission, "_take", _ends_at_once)]),
        fold("an End that drains, for what was owed before", "5", "was owed, and forgotten",
             [_instead(admission, "_take", _ends_at_once)]),
        fold("compare-and-set contracts", "6", "is back by itself",
             [partial(patch.dict, admission.RULES, {Kind.CONTRACT: _any_contract})]),
        fold("beginnings", "6", "should be owed, and is not", [_instead(owing, "_keep", lambda *_: None)]),
        fold("unserved events", "6", "should be owed, and is not", [_instead(owing, "_keep", _keep_nothing_later)]),
        fold("generations", "6", "two admitted outcomes", [_rule(Kind.OWE, _same_generation)]),
        fold("generations, for ids", "3", "entered the history of", [_rule(Kind.OWE, _same_generation)]),
        fold("not_after", "6", "acted twice", [_instead(admission, "_too_late", lambda *_: False)]),
        fold("not_after, for starts", "6", "acted after its time", [_instead(admission, "_too_late", lambda *_: False)]),
        fold("ids of commands", "6", "acted twice", [_instead(commands.CommandIds, "add", lambda *_: None)]),
        Rule("log time", "4", "differs in", [_instead(Fold, "apply", _by_own_clock)], _Clock.prepare),
        fold("ids of closed runs", "5", "within the dedup window", [_instead(closed.ClosedIds, "add", lambda *_: None)]),
        fold("attempt numbers", "6", "counted twice", [_rule(Kind.FAILURE, _every_failure)]),
        fold("shapes are checked before dispatch", "10", "failed with EarlierShape",
             [_instead(partition.Serving, "reconsider", _all_of_ours)]),
        fold("steps of an earlier shape are not attempted", "10", "which it does not take",
             [_instead(plan.Plan, "fits", lambda *_: True)]),
        fold("superseded contracts stay so", "7", "is back by itself",
             [_instead(partition.Serving, "to_publish", _always_publish)]),
        fold("the same bytes again", "10", "and nobody does it", [_instead(outbox.Outbox, "_append", _append_once)]),
        fold("reading after a refusal", "10", "twice", [_instead(Dispatcher, "_begin", _without_reading)]),
        fold("handlers go on when a partition is revoked", "10", "twice", [_instead(Dispatcher, "suspend", _forget_at_once)]),
        fold("order", "reactors", "which came earlier", [_instead(dispatch, "_first", lambda *_: True)]),
        fold("a history up to the trigger", "reactors", "looked back and saw", [_instead(attempt, "upto", lambda _: _Anything())]),
        fold("a history in the order of admission", "reactors", "looked back and saw",
             [_instead(history.HistoryIndex, "offsets", _by_offset)]),
        Rule("a sound state", "9", "has another digest", [], corrupt),
    ]  # fmt: skip


RULES: Final[Mapping[str, Rule]] = {rule.name: rule for rule in _rule_table()}
NO_DIGEST: Final = Rule(
    "the digest", "9", "has another digest", [_instead(folding, "roll", lambda digest, *_: digest)], corrupt
)
"""A reader goes wrong and nobody notices by digest."""
