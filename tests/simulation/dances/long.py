"""Steps that take long, in parts; workers that are lost at them, or only taken for lost; reactors that are stopped."""

import asyncio
from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch

from farandole.eventstore import Stored
from farandole.projections.fold import Fold, Pair, PairKey, Run, Verdict, admission
from farandole.projections.fold.applied import Applied
from farandole.projections.fold.pending import Working
from farandole.projections.fold.rules import claims
from farandole.reactors import Step
from farandole.reactors.desk import Desk
from farandole.reactors.dispatch import Work
from farandole.reactors.leases import Leases
from farandole.schemas import End, Start, UndecodableValue, system_records
from farandole.schemas.envelope import Envelope, Kind
from simulation.handlers import STAGE, make, play
from simulation.rules import Rule, Switch

from .dance import Dance, Watcher

if TYPE_CHECKING:
    from simulation.judge import Judge
    from simulation.play import Play
    from simulation.transcript import Line


class LongBegun(Start):
    tag: int
    parts: int


class LongDone(End):
    tag: int


async def take_long(begun: LongBegun, step: Step) -> LongDone:
    execution = await play(begun)
    for n in range(begun.parts):
        name = f"part {n}"
        result = await step.once(name, _part, STAGE.get().tag())
        execution.saw = (*execution.saw, (name, result))
        step.progress((n + 1) / begun.parts)
    return make(execution, LongDone)


async def _part(tag: int) -> int:

    await asyncio.sleep(STAGE.get().random.choice([0.1, 2.0, 13.0]))
    return tag


def crash_at_work(play: "Play") -> None:
    """A worker dies of what it does."""
    if found := [w for w in play.world.alive() if w.worker is not None and w.worker.dispatcher.at_work_in()]:
        worker = play.chance.choice(found)
        worker.kill()
        play._replace_later(worker)


def stand_still(play: "Play") -> None:
    """A worker stands still for longer than its claims do, and goes on."""
    worker = play._any_worker()
    if worker is None or worker.process.frozen:
        return
    worker.freeze()
    play.world.later(2, play.world.take_for_dead, worker)
    play.world.later(34, worker.thaw)
    play.world.later(35, play.world.rejoin, worker)


def stop(play: "Play") -> None:
    """An operator stops a reactor, or all."""
    contracts = {c.reactor.decode() for t in play.world.log.transcripts for c in t.fold.contracts}
    if contracts:
        reactor = play.chance.choice([*sorted(contracts), None])
        client = play._any_client()
        client.do(client.client.stop(reactor), f"stop {reactor or 'all'}")


def go_on(play: "Play") -> None:
    """An operator lets all go on that is stopped."""
    stopped = {n for t in play.world.log.transcripts for n, (_, is_so) in t.fold.stopped.items() if is_so}
    for name in sorted(stopped):
        client = play._any_client()
        client.do(client.client.go_on(name.decode() or None), f"let {name.decode() or 'all'} go on")


class Long(Watcher):
    """Claims, losses and sub-steps."""

    def __init__(self, judge: "Judge") -> None:
        super().__init__(judge)
        self._claims: dict[tuple[bytes, int, PairKey], tuple[bytes, int]] = {}
        self._failed: dict[tuple[bytes, int, PairKey], int] = {}
        self._recorded: dict[tuple[int, PairKey, str], int | None] = {}

    def line(self, number: int, line: "Line") -> Iterator[str]:
        e = line.envelope
        if e is None or line.verdict is not Verdict.ADMITTED:
            return
        story = self.judge.runs.get(line.record.key or b"")
        if story is None:
            return
        place = (story.key, story.began, (e.causation, e.reactor, e.generation))
        what = f"{e.reactor.decode()} of {e.causation.decode()}"
        holder, until = self._claims.get(place, (b"", 0))
        if e.kind == Kind.CLAIM:
            if holder not in (b"", e.extra) and until >= self.judge.log_time:
                yield f"{what} was claimed while another's claim stood"
            lease = min(e.delay, self.judge.settings.lease_most)
            self._claims[place] = (e.extra, self.judge.log_time + lease) if lease > 0 else (b"", 0)
        elif e.kind == Kind.LOST:
            if until >= self.judge.log_time:
                yield f"a worker was said to be lost at {what} before its claim had lapsed"
            self._claims.pop(place, None)
        elif e.kind == Kind.FAILURE:
            self._claims.pop(place, None)
            failed = self._failed.get(place, 0)
            if e.attempt != failed + 1:
                yield f"attempt {e.attempt} of {what} failed, though only {failed} had failed before"
            self._failed[place] = e.attempt
        elif e.kind == Kind.EXPIRY and (story.key, place[2]) in line.settled:
            # Of a fan-in that takes no failures: that its time is over is its first.
            self._failed[place] = 1
        elif e.kind == Kind.SUBSTEP:
            part = (story.began, place[2], e.extra.decode())
            if part in self._recorded:
                yield f"{part[2]} of {what} was recorded twice"
            self._recorded[part] = _result(line.record)

    def end(self) -> Iterator[str]:
        for pair, executions in self.judge.executions.items():
            for execution in executions:
                partition, began = execution.run
                if partition != self.judge.transcript.fold.partition:
                    continue
                for name, result in execution.saw:
                    if self._recorded.get((began, pair, name)) != result:
                        yield f"{execution.reactor} saw another result of {name} than what was recorded"


def _result(record: Stored) -> int | None:
    try:
        return int(system_records.SUBSTEP.decode(record.value)["result"])
    except (UndecodableValue, ValueError):
        return None


# ── without its rules ────────────────────────────────────────────────────────────────────────────────────────────────


def any_claim(fold: Fold, run: Run, record: Stored, e: Envelope, out: Applied) -> Verdict:
    """Whoever claims has it."""
    if (pair := _pair(run, e)) is not None and pair.work is not None:
        pair.work.free()
    return claims.claim(fold, run, record, e, out)


def lost_at_once(fold: Fold, run: Run, record: Stored, e: Envelope, out: Applied) -> Verdict:
    """A worker is lost as soon as somebody says so."""
    if (pair := _pair(run, e)) is not None and pair.work is not None and pair.work.until:
        pair.work.until = min(pair.work.until, fold.log_time - 1)
    return claims.lost(fold, run, record, e, out)


def lost_as_an_attempt(fold: Fold, run: Run, record: Stored, e: Envelope, out: Applied) -> Verdict:
    """A worker that is lost has used up an attempt."""
    verdict = claims.lost(fold, run, record, e, out)
    if verdict is Verdict.ADMITTED and (pair := _pair(run, e)) is not None:
        pair.attempts += 1
    return verdict


def done_again(fold: Fold, run: Run, record: Stored, e: Envelope, out: Applied) -> Verdict:
    """The last result of a sub-step is its result."""
    pair = _pair(run, e)
    if pair is None:
        return Verdict.NOT_OWED
    pair.work = pair.work or Working()
    pair.work.once = {**(pair.work.once or {}), e.extra: record.offset}
    return Verdict.ADMITTED


def _pair(run: Run, e: Envelope) -> Pair | None:
    pair = run.owed.get((e.causation, e.reactor, e.generation))
    return None if pair is None or pair.parked else pair


def wait_for_nothing(leases: Leases, work: Work) -> float | None:
    """Begin whatever is owed."""
    return None


def say_nothing(leases: Leases, work: Work) -> float | None:
    """A claim that has lapsed is none."""
    claim = work.pair.work
    if claim is not None and claim.holder not in (b"", leases.holder) and claim.until < leases._now(work.serving):
        return None
    return _wait(leases, work)


_wait = Leases.wait


async def not_read_back(desk: Desk, work: Work, name: bytes, result: str) -> Verdict:
    """What was done is taken for recorded."""

    task = asyncio.ensure_future(_substep(desk, work, name, result))
    task.add_done_callback(lambda task: task.cancelled() or task.exception())
    return Verdict.ADMITTED


_substep = Desk.substep


def switches() -> list[Rule]:
    def rule(kind: Kind, instead: Any) -> Switch:
        return partial(patch.dict, admission.RUN_RULES, {kind: instead})

    def patched(where: object, name: str, what: object) -> Switch:
        return partial(patch.object, where, name, what)

    return [
        Rule("claims bind what begins", "19", "while another held it", [patched(Leases, "wait", wait_for_nothing)]),
        Rule("a lapsed claim is said to be lost", "19", "though nobody had said", [patched(Leases, "wait", say_nothing)]),
        Rule("one claim stands at a time", "19", "while another's claim stood", [rule(Kind.CLAIM, any_claim)]),
        Rule("a claim has its time", "19", "before its claim had lapsed", [rule(Kind.LOST, lost_at_once)]),
        Rule("losses are counted apart", "19", "though only", [rule(Kind.LOST, lost_as_an_attempt)]),
        Rule("a sub-step has one result", "19", "was recorded twice", [rule(Kind.SUBSTEP, done_again)]),
        Rule("a sub-step is read back", "19", "saw another result of", [patched(Desk, "substep", not_read_back)]),
        Rule("a policy binds what begins", "20", "whose reactor was stopped", [patched(Fold, "stops", lambda *_: False)]),
    ]  # fmt: skip


_STARTS: Final[Mapping[type[Start], Any]] = {LongBegun: lambda chance: {"parts": chance.randrange(1, 5)}}
LONG: Final = Dance(
    "long",
    starts=_STARTS,
    releases={"mill": ({"take_long": take_long},)},
    complete={"mill": {"take_long": take_long}},
    actions=((crash_at_work, 4), (stand_still, 2), (stop, 2), (go_on, 3)),
    relief=(go_on,),
    watchers=(Long,),
    switches=switches,
)
