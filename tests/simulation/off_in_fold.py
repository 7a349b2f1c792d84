"""How the fold does without each of its rules."""

from typing import TYPE_CHECKING, Any, Final

from farandole.eventstore import Stored
from farandole.projections.fold import (
    Contract,
    Fact,
    Fold,
    Pair,
    Result,
    Run,
    RunState,
    Settings,
    Turn,
    Verdict,
    admission,
    owing,
    taking,
)
from farandole.projections.fold.applied import Applied
from farandole.projections.fold.digest import roll
from farandole.projections.fold.framing import collect
from farandole.projections.fold.rules import retries
from farandole.schemas import UnreadableHeaders, system_records
from farandole.schemas.envelope import Envelope, Flag, Kind, unpack

from .process import PROCESS

if TYPE_CHECKING:
    from .world import World

_take, _keep, _apply, _owe_failure = taking.take, owing._keep, Fold.apply, owing.owe_failure


# ── admission ────────────────────────────────────────────────────────────────────────────────────────────────────────


def owed_or_not(fold: Fold, run: Run, record: Stored, e: Envelope, out: Applied) -> Verdict:
    """An outcome counts whether or not its pair is owed."""
    if (e.causation, e.reactor, e.generation) in run.owed or e.count > 1 or e.reactor == b"nobody":
        return admission.outcome(fold, run, record, e, out)
    if e.count:
        hops = 0 if run.state is RunState.OPEN else fold.settings.drain
        _take(fold, run, Fact(e.id, fold.intern(e.type), record.offset, e.flags, hops), out)
    return Verdict.ADMITTED


def not_too_many(fold: Fold, run: Run, record: Stored, e: Envelope, out: Applied) -> Verdict:
    """A policy bounds the events of an outcome."""
    return Verdict.NOT_OWED if e.count > 3 else admission.outcome(fold, run, record, e, out)


def not_while_paused(fold: Fold, run: Run, record: Stored, e: Envelope, out: Applied) -> Verdict:
    """A run that is paused takes nothing that was done."""
    return Verdict.NOT_OWED if run.paused else admission.outcome(fold, run, record, e, out)


def late_as_well(fold: Fold, run: Run, record: Stored, e: Envelope, out: Applied) -> Verdict:
    """An outcome counts though its step has failed for good."""
    pair = run.owed.get((e.causation, e.reactor, e.generation))
    if pair is not None and pair.parked:
        pair.parked = b""
        run.parked -= 1
    return admission.outcome(fold, run, record, e, out)


def every_failure(fold: Fold, run: Run, record: Stored, e: Envelope, out: Applied) -> Verdict:
    """A failure counts whichever attempt it is of."""
    pair = run.owed.get((e.causation, e.reactor, e.generation))
    if pair is not None:
        e = e._replace(attempt=pair.attempts + 1)
    return admission.failure(fold, run, record, e, out)


def by_own_policy(fold: Fold, run: Run, record: Stored, e: Envelope, out: Applied) -> Verdict:
    """Each reader has its own opinion of how often a step may fail."""
    last = e.attempt >= 1 + _taste() % 3
    flags = e.flags | Flag.LAST if last else e.flags & ~Flag.LAST
    return admission.failure(fold, run, record, e._replace(flags=flags), out)


def _taste() -> int:
    """A number that each process has for itself."""
    process = PROCESS.get()
    return 0 if process is None else sum(process.name.encode())


def caught_again(fold: Fold, run: Run, failed: Pair, failure: Fact, out: Applied) -> bool:
    """The failure of a reactor of failures is one like any other."""
    of_failure, failed.of_failure = failed.of_failure, False
    try:
        return _owe_failure(fold, run, failed, failure, out)
    finally:
        failed.of_failure = of_failure


def start_over(fold: Fold, record: Stored, e: Envelope, out: Applied) -> Verdict:
    """A start of a run that is open begins it anew."""
    fold.runs.pop(record.key or b"", None)
    return admission.start(fold, record, e, out)


def same_generation(fold: Fold, run: Run, record: Stored, e: Envelope, out: Applied) -> Verdict:
    """What is owed anew is the pair that it was."""
    if fold.contracts.get(e.reactor) is None or not e.causation:
        return Verdict.NO_CONTRACT
    offset, type = int.from_bytes(e.extra[:8], "big"), fold.intern(e.extra[8:])
    pair = Pair(e.causation, fold.contracts[e.reactor].reactor, b"", (offset,), (type,), fold.log_time)
    if run.owed.setdefault(pair.key, pair) is not pair:
        return Verdict.REPEATED
    out.owed.append((run, pair))
    return Verdict.ADMITTED


def of_the_start(fold: Fold, run: Run, record: Stored, e: Envelope, out: Applied) -> Verdict:
    """What is owed anew is not looked for where the command says."""
    return admission.owe_again(fold, run, record, e._replace(extra=run.offset.to_bytes(8, "big") + e.extra[8:]), out)


def whatever_is_parked(fold: Fold, run: Run, record: Stored, e: Envelope, out: Applied) -> Verdict:
    """A retry is of all that is parked, whichever failure it names."""
    done = [retries.unpark(fold, run, pair, out) for pair in tuple(run.owed.values()) if pair.parked]
    return Verdict.ADMITTED if any(done) else Verdict.NOT_PARKED


def from_the_first(fold: Fold, run: Run, pair: Pair, out: Applied) -> bool:
    """A retry counts attempts from one again."""
    pair.attempts = 0
    return _unpark(fold, run, pair, out)


_unpark = retries.unpark


def cancel_nothing(fold: Fold, run: Run, record: Stored, e: Envelope, out: Applied) -> Verdict:
    """A cancel leaves what is owed."""
    if run.state is RunState.ENDING and not run.parked:
        return Verdict.RUN_ENDING
    taking.finish(fold, run, record, Turn.CANCEL, Result.CANCELLED, out)
    return Verdict.ADMITTED


def expire_anyway(fold: Fold, run: Run, record: Stored, e: Envelope, out: Applied) -> Verdict:
    """An expire counts, whatever the run does meanwhile."""
    taking.finish(fold, run, record, Turn.EXPIRE, Result.EXPIRED, out)
    owing.drop(fold, run, out)
    return Verdict.ADMITTED


# ── ends ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def ends_at_once(fold: Fold, run: Run, fact: Fact, out: Applied) -> None:
    """Every End drops what is owed, and owes nothing itself."""
    final = fact.flags & Flag.FINAL_END
    if not fact.flags & Flag.END or final or run.state is not RunState.OPEN:
        _take(fold, run, fact, out)
        return
    out.admitted.append(fact)
    run.turn(Turn.END)
    run.result, run.end, run.result_offset = Result.ENDED, fact.type, fact.offset
    out.result = Result.ENDED
    owing.drop(fold, run, out)


def ends_softly(fold: Fold, run: Run, fact: Fact, out: Applied) -> None:
    """An End that should drop what is owed does not."""
    at = len(out.admitted)
    _take(fold, run, Fact(fact.id, fact.type, fact.offset, fact.flags & ~Flag.FINAL_END, fact.hops), out)
    out.admitted[at] = fact


def ends_anew(fold: Fold, run: Run, fact: Fact, out: Applied) -> None:
    """A later End fixes the result once more."""
    ending = run.state is RunState.ENDING
    _take(fold, run, fact, out)
    if ending and fact.flags & Flag.END:
        run.result, run.end, run.result_offset = Result.ENDED, fact.type, fact.offset
        out.result = Result.ENDED


def drain_for_ever(fold: Fold, run: Run, fact: Fact, out: Applied) -> None:
    """However long ago the End was, events owe work."""
    fact.hops = 0
    _take(fold, run, fact, out)


def close_with_parked(fold: Fold, run: Run, out: Applied) -> None:
    """An ending run is closed though a step of it is parked."""
    if run.parked and run.parked == len(run.owed):
        run.owed.clear()
        run.parked = 0
    owing.close_if_done(fold, run, out)


# ── what governs the partition ───────────────────────────────────────────────────────────────────────────────────────


def last_genesis(fold: Fold, record: Stored, e: Envelope, out: Applied) -> Verdict:
    """Each genesis founds the log anew."""
    fold.log_id = None
    return admission.genesis(fold, record, e, out)


def any_setting(fold: Fold, record: Stored, e: Envelope, out: Applied) -> Verdict:
    """A setting comes into force whatever it replaces."""
    content = system_records.SETTING.decode(record.value)
    fold.settings = fold.settings.with_(content["name"], content["value"])
    fold.lapse()
    return Verdict.ADMITTED


def any_version(fold: Fold, record: Stored, e: Envelope, out: Applied) -> Verdict:
    """A version comes into force, a lower one too."""
    fold.version = system_records.VERSION.decode(record.value)["version"]
    return Verdict.ADMITTED


def any_contract(fold: Fold, record: Stored, e: Envelope, out: Applied) -> Verdict:
    """A contract comes into force whatever it replaces."""
    contracts = collect(fold.frames, e, Contract.read(system_records.CONTRACT.decode(record.value)))
    if contracts is None:
        return Verdict.HELD
    owing.enforce(fold, tuple(contracts), out)
    return Verdict.ADMITTED


def anywhere(key: bytes, partitions: int) -> int:
    """Any partition is that of any key."""
    return _Any()


class _Any(int):
    def __eq__(self, _: object) -> bool:
        return True

    def __ne__(self, _: object) -> bool:
        return False

    __hash__ = int.__hash__


def settings_of_ones_own(values: Any) -> Settings:
    """Each reader has a configuration."""
    return _settings({**values, "dedup_window": 20_000 * (1 + _taste() % 5)})


_settings = Settings.of


def keep_nothing_later(fold: Fold, run: Run, event: Any) -> None:
    """Events of types that nobody has named are kept only while settling."""
    if fold.settling:
        _keep(fold, run, event)


def settle_for_ever(fold: Fold) -> None:
    """New reactors begin with all that ever came."""
    fold.commands.forget(fold.log_time)
    fold.closed.forget(fold.log_time, fold.settings.dedup_window)


def retire_in_name(fold: Fold, contract: Contract, out: Applied) -> None:
    """A reactor that is retired leaves what it owes."""


def keeps_nothing(fold: Fold, contracts: tuple[Contract, ...], out: Applied) -> None:
    """A reactor that is retired leaves nothing owed, though it was said that it should."""
    owing.enforce(fold, contracts, out)
    for contract in contracts:
        if contract.state == "retired_keep":
            owing._retire(fold, contract, out)


def roll_without_verdict(digest: int, offset: int, append: bytes, verdict: int) -> int:
    """What was made of a record does not count."""
    return roll(digest, offset, append, 0)


# ── time and bytes ───────────────────────────────────────────────────────────────────────────────────────────────────


class Clock:
    """Each reader goes by its own clock instead of log time."""

    world: "World"

    @classmethod
    def prepare(cls, world: "World") -> None:
        cls.world = world


def by_own_clock(fold: Fold, record: Stored) -> Applied:
    world, process = Clock.world, PROCESS.get()
    now = world.time()
    if process is not None:
        now += next(m.skew for m in (*world.workers, *world.clients) if m.process is process)
    return _apply(fold, record._replace(time=now))


def by_the_senders_clock(fold: Fold, record: Stored) -> Applied:
    """Log time is what the senders say."""
    try:
        return _apply(fold, record._replace(time=unpack(record.headers).sent // 1000))
    except UnreadableHeaders:
        return _apply(fold, record)


def by_the_last_stamp(fold: Fold, record: Stored) -> Applied:
    """Log time goes back when the log's clock does."""
    fold.log_time = min(fold.log_time, record.time)
    return _apply(fold, record)


def any_id(headers: Any) -> Envelope:
    """Whoever is outside may use derived ids."""
    try:
        return unpack(headers)
    except UnreadableHeaders:
        found = dict(headers)
        id = found.get("ce_id", b"")
        return unpack({**found, "ce_id": b"x" + id}.items())._replace(id=id)


def any_kind(headers: Any) -> Envelope:
    """A record of a kind that nobody knows is read like any other."""
    try:
        return unpack(headers)
    except UnreadableHeaders:
        found = dict(headers)
        fa = found.get("fa", b"")
        if fa[1:2] not in UNKNOWN_KINDS:
            raise
        return unpack({**found, "fa": fa[:1] + bytes((Kind.RELEASED,)) + fa[2:]}.items())._replace(kind=fa[1])


UNKNOWN_KINDS: Final = {kind.to_bytes() for kind in (31, 200)}
"""Those that come in a world."""


def whatever_it_is(fold: Fold, record: Stored, e: Envelope, out: Applied) -> Verdict:
    """Who does not know what a record is takes it."""
    return Verdict.ADMITTED


def must_be_readable(fold: Fold, record: Stored) -> Applied:
    """A reader does not go on behind a record that it cannot read."""
    if PROCESS.get() is not None:
        unpack(record.headers)
    return _apply(fold, record)
