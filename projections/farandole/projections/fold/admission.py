"""The admission table: one rule for each kind of record. Nothing here reads a clock, a configuration or a user's value.

A rule is given the fold, the record and its envelope; it changes the state, notes the effects, and returns a verdict.
A rule that refuses has changed nothing.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from farandole.eventstore import Stored, partition_of
from farandole.schemas import UndecodableValue, system_records
from farandole.schemas.envelope import Envelope, Flag, Kind

from . import children, compensation
from .applied import Applied
from .branches import fan_out, leave, settle_branches
from .contracts import MOST_CONTRACT, MOST_NAME, MOST_TOGETHER, Contract
from .framing import collect
from .items import SPECIAL, part_of, take_part
from .owing import close_if_done, drop, enforce, fail_for_good
from .pairs import limit
from .pending import Deadline
from .rules import children as messages
from .rules import claims, decisions, expiries, policies, retries, schedules, substeps, timers
from .run import TAKES, Fact, Item, Pair, Result, Run, RunState, Turn
from .settings import NAMES, Settings
from .taking import finish, take
from .verdict import Verdict

if TYPE_CHECKING:
    from .fold import Fold

_LAST, _FANOUT = int(Flag.LAST), int(Flag.FANOUT)
_OPEN, _ENDING, _ADMITTED = RunState.OPEN, RunState.ENDING, Verdict.ADMITTED

Rule = Callable[["Fold", Stored, Envelope, Applied], Verdict]
RunRule = Callable[["Fold", Run, Stored, Envelope, Applied], Verdict]


# ── the life of a run ────────────────────────────────────────────────────────────────────────────────────────────────


def start(fold: "Fold", record: Stored, e: Envelope, out: Applied) -> Verdict:
    """Admitted iff the run is absent, not remembered as closed, and ``not_after`` has not passed."""
    key = record.key
    if not key or len(key) > MOST_NAME:
        return Verdict.UNREADABLE
    if key in fold.runs:
        out.run = fold.runs[key]
        return Verdict.RUN_EXISTS
    if partition_of(key, fold.partitions) != fold.partition:
        return Verdict.MISROUTED
    if key in fold.closed:
        return Verdict.RUN_REMEMBERED
    if _too_late(fold, e):
        return Verdict.TOO_LATE
    parent = None
    if e.extra:
        parent = children.parent_of(e)
        if parent is None:
            return Verdict.UNREADABLE
        if parent.depth > fold.settings.depth:
            return Verdict.TOO_DEEP
    out.run = fold.runs[key] = run = Run(key, e.id, record.offset, fold.log_time)
    if parent is not None:
        run.pend().parent = parent
    if e.delay > 0:
        due = run.pend().deadline = fold.log_time + e.delay
        out.arm(run, Deadline(due))
    take(fold, run, Fact(e.id, fold.intern(e.type), record.offset, e.flags), out)
    close_if_done(fold, run, out)
    return _ADMITTED


def outcome(fold: "Fold", run: Run, record: Stored, e: Envelope, out: Applied) -> Verdict:
    """Admitted iff its pair is owed and it is whole; never refused for any other reason."""
    key = (e.causation, e.reactor, e.generation)
    pair = run.owed.get(key)
    if pair is None:
        return Verdict.NOT_OWED
    if pair.parked:
        return Verdict.LATE
    if e.count > 1 or e.flags & SPECIAL or fold.contracts.compensating:
        if pair.unfinished is None:
            pair.unfinished = {}
        parts = collect(pair.unfinished, e, part_of(fold, record.offset, e))
        if parts is None:
            return Verdict.HELD
        _discharge(fold, run, pair, parts, e, out)
        return _ADMITTED
    # Most outcomes are of one event that begins no branch.
    del run.owed[key]
    out.settled.append((run, pair))
    if e.count:
        hops = 0 if run.state is _OPEN else pair.hops + 1
        take(fold, run, Fact(e.id, fold.intern(e.type), record.offset, e.flags, hops, pair.branch), out)
    if pair.branch is not None:
        leave(fold, run, pair.branch, out)
    run.touched = fold.log_time
    return _ADMITTED


def _discharge(fold: "Fold", run: Run, pair: Pair, parts: Sequence[Fact], e: Envelope, out: Applied) -> None:
    """A whole outcome takes effect, part by part in their order."""
    del run.owed[pair.key]
    out.settled.append((run, pair))
    hops = 0 if run.state is _OPEN else pair.hops + 1
    first = parts[0]
    parts = parts if e.count else ()
    for part in parts:
        part.hops, part.branch = hops, pair.branch
    if fold.contracts.compensating:
        compensation.remember(fold, run, pair, first.id, parts)
    branches = fan_out(fold, run, pair, first, parts, out) if type(first) is Item and first.flags & _FANOUT else ()
    for part in parts:
        take_part(fold, run, pair, part, out)
    for branch in branches:
        leave(fold, run, branch, out)
    if pair.branch is not None:
        leave(fold, run, pair.branch, out)
    run.touched = fold.log_time


def failure(fold: "Fold", run: Run, record: Stored, e: Envelope, out: Applied) -> Verdict:
    """Admitted iff the pair is owed and the attempt is the next one. It says itself whether it is the last."""
    pair = run.owed.get((e.causation, e.reactor, e.generation))
    if pair is None:
        return Verdict.NOT_OWED
    if pair.parked:
        return Verdict.LATE
    if e.attempt != pair.attempts + 1:
        return Verdict.WRONG_ATTEMPT
    pair.failed(e.attempt)
    run.touched = fold.log_time
    if not e.flags & _LAST:
        pair.due = fold.log_time + e.delay
        out.owed.append((run, pair))
        return _ADMITTED
    fail_for_good(fold, run, pair, Fact(e.id, fold.intern(e.type), record.offset, e.flags), out)
    return _ADMITTED


def signal(fold: "Fold", run: Run, record: Stored, e: Envelope, out: Applied) -> Verdict:
    """An event from outside into an open run."""
    take(fold, run, Fact(e.id, fold.intern(e.type), record.offset, e.flags), out)
    return Verdict.ADMITTED


def cancel(fold: "Fold", run: Run, record: Stored, e: Envelope, out: Applied) -> Verdict:
    """First come: a run that has its result keeps it; if a step of it is parked, all that it owes is dropped."""
    if e.causation and e.causation != run.start:
        return Verdict.NOT_PENDING
    if run.state is _ENDING and not run.parked:
        return Verdict.RUN_ENDING
    if run.result is Result.NONE:
        compensation.begin(run)
    finish(fold, run, record, Turn.CANCEL, Result.CANCELLED, out)
    drop(fold, run, out)
    return Verdict.ADMITTED


def pause(fold: "Fold", run: Run, record: Stored, e: Envelope, out: Applied) -> Verdict:
    if run.paused:
        return Verdict.NO_CHANGE
    run.paused = True
    return Verdict.ADMITTED


def resume(fold: "Fold", run: Run, record: Stored, e: Envelope, out: Applied) -> Verdict:
    if not run.paused:
        return Verdict.NO_CHANGE
    run.paused = False
    out.owed.extend((run, pair) for pair in run.owed.values() if not pair.parked)
    return Verdict.ADMITTED


def owe_again(fold: "Fold", run: Run, record: Stored, e: Envelope, out: Applied) -> Verdict:
    """The command's id becomes the generation, so that no old outcome answers it and no event id repeats."""
    contract = fold.contracts.get(e.reactor)
    if contract is None or not contract.active or contract.form != "event":
        return Verdict.NO_CONTRACT
    if len(e.extra) <= 8 or not e.causation:
        return Verdict.UNREADABLE
    offset, type = int.from_bytes(e.extra[:8], "big"), fold.intern(e.extra[8:])
    pair = Pair(e.causation, contract.reactor, e.id, (offset,), (type,), fold.log_time, at=record.offset)
    if run.owed.setdefault(pair.key, pair) is not pair:
        return Verdict.REPEATED
    out.owed.append((run, pair))
    limit(run, pair, contract, out)
    return Verdict.ADMITTED


def expire(fold: "Fold", run: Run, record: Stored, e: Envelope, out: Applied) -> Verdict:
    """Admitted iff the run is still idle or failed for as long as the setting says."""
    after = fold.settings.expire_after
    if not after or fold.log_time - run.touched < after or not fold.idle_or_failed(run):
        return Verdict.NOT_DUE
    compensation.give_up(run)
    finish(fold, run, record, Turn.EXPIRE, Result.EXPIRED, out)
    drop(fold, run, out)
    return Verdict.ADMITTED


# ── what governs the partition ───────────────────────────────────────────────────────────────────────────────────────


def genesis(fold: "Fold", record: Stored, e: Envelope, out: Applied) -> Verdict:
    """The first record of its kind gives the log its identity and settings."""
    if fold.log_id is not None:
        return Verdict.SUPERSEDED
    content = system_records.GENESIS.decode(record.value)
    log_id = content["log_id"].encode()
    if (
        not 0 < len(log_id) <= MOST_LOG_ID
        or content["fold_version"] < 1
        or min(content["settings"].values(), default=0) < 0
    ):
        return Verdict.UNREADABLE
    fold.log_id = content["log_id"]
    fold.made_of = content["partitions"]
    fold.born = fold.log_time
    fold.settings = Settings.of(content["settings"])
    fold.version = max(fold.version, content["fold_version"])
    fold.closed.rekey(log_id)
    fold.lapse()
    return Verdict.ADMITTED


def setting(fold: "Fold", record: Stored, e: Envelope, out: Applied) -> Verdict:
    """Compare and set: it names the value that it replaces."""
    content = system_records.SETTING.decode(record.value)
    name = content["name"]
    if content["value"] < 0:
        return Verdict.UNREADABLE
    if name not in NAMES or getattr(fold.settings, name) != content["replaces"]:
        return Verdict.SUPERSEDED
    fold.settings = fold.settings.with_(name, content["value"])
    fold.lapse()
    return Verdict.ADMITTED


def version(fold: "Fold", record: Stored, e: Envelope, out: Applied) -> Verdict:
    """Raises the fold version from its offset on; a reader that does not know it must stop here."""
    content = system_records.VERSION.decode(record.value)
    if content["version"] <= fold.version:
        return Verdict.SUPERSEDED
    fold.version = content["version"]
    return Verdict.ADMITTED


def version_ahead(fold: "Fold", record: Stored, e: Envelope) -> int:
    """The fold version that a genesis or version record would put in force; 0 if none.

    It is asked before the record is judged, so that a reader that must stop has changed nothing.
    """
    try:
        if e.kind == Kind.VERSION:
            return int(system_records.VERSION.decode(record.value)["version"])
        return int(system_records.GENESIS.decode(record.value)["fold_version"]) if fold.log_id is None else 0
    except UndecodableValue:
        return 0


def contract(fold: "Fold", record: Stored, e: Envelope, out: Applied) -> Verdict:
    """Compare and set, all contracts of one append together: each names the one in force that it replaces."""
    read = Contract.read(system_records.CONTRACT.decode(record.value))
    if not read.sound or e.count > MOST_TOGETHER or len(record.value or b"") > MOST_CONTRACT:
        return Verdict.UNREADABLE
    contracts = collect(fold.frames, e, read)
    if contracts is None:
        return Verdict.HELD
    places = [name for c in contracts for name in (c.reactor, c.renames) if name]
    if len(set(places)) != len(places):
        return Verdict.UNREADABLE
    for c in contracts:
        in_force = fold.contracts.get(c.renames or c.reactor)
        if c.content["replaces"] != (in_force.id if in_force else "") or (c.renames and fold.contracts.get(c.reactor)):
            return Verdict.SUPERSEDED
    enforce(fold, tuple(contracts), out)
    return Verdict.ADMITTED


def released(fold: "Fold", record: Stored, e: Envelope, out: Applied) -> Verdict:
    return Verdict.ADMITTED


# ── the table ────────────────────────────────────────────────────────────────────────────────────────────────────────

MOST_LOG_ID: Final = 64
"""Bytes that the key of a BLAKE2b hash has room for."""

RUN_RULES: Final[dict[int, RunRule]] = {
    Kind.OUTCOME: outcome,
    Kind.FAILURE: failure,
    Kind.SIGNAL: signal,
    Kind.CANCEL: cancel,
    Kind.PAUSE: pause,
    Kind.RESUME: resume,
    Kind.RETRY: retries.retry,
    Kind.OWE: owe_again,
    Kind.EXPIRE: expire,
    Kind.ANSWER: decisions.answer,
    Kind.CLAIM: claims.claim,
    Kind.LOST: claims.lost,
    Kind.PROGRESS: claims.progress,
    Kind.SUBSTEP: substeps.substep,
    Kind.TIMER: timers.fired,
    Kind.EXPIRY: expiries.expiry,
}
"""Rules of records that belong to an open run."""

COMMANDS: Final = frozenset((Kind.SIGNAL, Kind.ANSWER, Kind.CANCEL, Kind.PAUSE, Kind.RESUME, Kind.RETRY, Kind.OWE))
"""Records from outside that ask for something: admitted once, and not after their time."""

RULES: Final[dict[int, Rule]] = {
    Kind.START: start,
    Kind.GENESIS: genesis,
    Kind.SETTING: setting,
    Kind.VERSION: version,
    Kind.CONTRACT: contract,
    Kind.RELEASED: released,
    Kind.POLICY: policies.policy,
    Kind.DELIVERED: messages.delivered,
    Kind.CHILD_ENDED: messages.news,
    Kind.CHILD_FAILED: messages.news,
    Kind.TICK: schedules.tick,
    Kind.SCHEDULE: schedules.governed,
}
"""Rules of all other records. A kind in neither table is refused."""


def judge(fold: "Fold", record: Stored, e: Envelope, out: Applied) -> Verdict:
    """Find the record's rule and ask it. Every record of every kind passes here."""
    if len(e.id) > MOST_NAME or len(e.type) > MOST_NAME:
        return Verdict.UNREADABLE
    kind = e.kind
    rule = RUN_RULES.get(kind)
    if rule is None:
        other = RULES.get(kind)
        if other is None:
            return Verdict.UNKNOWN_KIND
        try:
            return other(fold, record, e, out)
        except UndecodableValue:
            return Verdict.UNREADABLE
    key = record.key or b""
    run = fold.runs.get(key)
    if run is None:
        if partition_of(key, fold.partitions) != fold.partition:
            return Verdict.MISROUTED
        return messages.unknown(fold, record, e) if e.kind == Kind.CANCEL and e.causation else Verdict.NO_RUN
    out.run = run
    if kind not in TAKES[run.state]:
        return Verdict.RUN_ENDING
    if fold.saver is not None:
        fold.saver.before(run)
    verdict = _command(rule, fold, run, record, e, out) if kind in COMMANDS else rule(fold, run, record, e, out)
    if run.pending is not None:
        settle_branches(fold, run, out)
    if run.state is _ENDING:
        close_if_done(fold, run, out)
    return verdict


def _command(rule: RunRule, fold: "Fold", run: Run, record: Stored, e: Envelope, out: Applied) -> Verdict:
    if not e.not_after:
        return Verdict.UNREADABLE
    if _too_late(fold, e):
        return Verdict.TOO_LATE
    if e.not_after - fold.log_time > fold.settings.ahead:
        return Verdict.TOO_FAR
    if e.id in fold.commands:
        return Verdict.REPEATED
    verdict = rule(fold, run, record, e, out)
    if verdict is Verdict.ADMITTED:
        fold.commands.add(e.id, e.not_after)
        run.touched = fold.log_time
    return verdict


def _too_late(fold: "Fold", e: Envelope) -> bool:
    return bool(e.not_after) and fold.log_time > e.not_after
