"""Bills of which people are reminded until they pay or nobody hopes any more; and work that has a deadline."""

import asyncio
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch

from farandole.projections.fold import Run, RunState, Verdict, taking
from farandole.projections.fold import timers as setting
from farandole.projections.fold.rules import expiries, timers
from farandole.projections.fold.run import TAKES
from farandole.reactors import After
from farandole.reactors.keeping.timers import Timers
from farandole.schemas import End, Event, Signal, Start
from farandole.schemas.envelope import Envelope, Flag, Kind
from simulation.handlers import STAGE, make, play
from simulation.rules import Rule

from .dance import Dance, Reacting, Watcher

if TYPE_CHECKING:
    from simulation.judge import Judge
    from simulation.play import Play
    from simulation.transcript import Line
    from simulation.world import World

PATIENCE: Final = 8_000
"""Milliseconds after which the last of three keepers has acted."""
_REMINDERS: Final = 3


class BillBegun(Start):
    tag: int


class Reminded(Event):
    tag: int
    times: int = 1


class Paid(Signal):
    tag: int


class Settled(End):
    tag: int


class Lapsed(End):
    tag: int


class HasteBegun(Start, deadline="6s"):
    tag: int


class Hurried(Event):
    tag: int


class HasteDone(End):
    tag: int


async def remind(x: BillBegun | Reminded) -> After[Reminded] | After[Lapsed]:
    execution = await play(x)
    stage = STAGE.get()
    wait = stage.random.choice(["0s", "500ms", "1s", "2s", "4s"])
    if stage.random.random() < 0.3:
        await asyncio.sleep(stage.random.random() * 2)
    make(execution)
    times = x.times + 1 if isinstance(x, Reminded) else 1
    if times > _REMINDERS:
        return After(wait, Lapsed(tag=stage.tag()))
    return After(wait, Reminded(tag=stage.tag(), times=times))


async def settle(paid: Paid) -> Settled:
    settled: Settled = make(await play(paid), Settled)
    return settled


async def hurry(x: HasteBegun) -> tuple[After[Hurried], After[Hurried]]:
    execution = await play(x)
    stage = STAGE.get()
    make(execution)
    first, second = (stage.random.choice(["500ms", "2s", "5s", "10s"]) for _ in range(2))
    return After(first, Hurried(tag=stage.tag())), After(second, Hurried(tag=stage.tag()))


async def rush(x: Hurried) -> HasteDone:
    done: HasteDone = make(await play(x), HasteDone)
    return done


async def rest(x: HasteDone) -> None:
    make(await play(x))


def pay(play: "Play") -> None:
    """Somebody pays, at times twice, and at times before they can be reminded."""
    at_work = [run.id.decode() for run in play._open() if any(p.reactor == b"remind" for p in run.owed.values())]
    found = play._handle(BillBegun)
    if found is None:
        return
    client, run = found
    if at_work and play.chance.random() < 0.7:
        run = client.run(play.chance.choice(at_work))
    for _ in range(play.chance.choice([1, 1, 1, 2])):
        paid = Paid(tag=play.world.stage.tag())
        client.do(run.send(paid, confirm=play.chance.random() < 0.5), f"pay {run.id}")


def wait(play: "Play", run: Run) -> bool:
    """What is due comes by itself."""
    return run.pending is not None and bool(run.pending.timers or run.pending.deadline)


class Clockmaker(Watcher):
    """Knows when each timer may fire, and when not."""

    def __init__(self, judge: "Judge") -> None:
        super().__init__(judge)
        self.began: dict[bytes, int] = {}
        self.parts: dict[tuple[bytes, bytes], dict[int, Envelope]] = {}
        self.due: dict[tuple[bytes, int, bytes], int] = {}
        self.triggers: dict[tuple[bytes, int, bytes], tuple[int, int, frozenset[bytes]]] = {}
        """When the trigger of a timer came, where it stands, and what drops the timer."""
        self.deadlines: dict[tuple[bytes, int], int] = {}
        self.said: dict[tuple[bytes, int], list[tuple[int, int, bytes]]] = {}
        self.ended: dict[tuple[bytes, int], int] = {}
        self.named: dict[bytes, int] = {}
        """The line since which a type drops timers: what came before a contract that says so need not be known any more."""

    def line(self, number: int, line: "Line") -> Iterator[str]:
        e, key = line.envelope, line.record.key or b""
        if e is None or line.verdict.refused:
            return
        for type in (type for contract in line.contracts for type in contract.unless):
            self.named.setdefault(type, number)
        if e.kind == Kind.OUTCOME and e.flags & (Flag.AFTER | Flag.ASK):
            self.parts.setdefault((key, e.append), {}).setdefault(e.index, e)
        if line.verdict is Verdict.HELD:
            return
        if e.kind == Kind.START:
            self.began[key] = number
            if e.delay > 0:
                self.deadlines[key, number] = self.judge.log_time + e.delay
        run = (key, self.began.get(key, -1))
        if e.kind == Kind.OUTCOME:
            self._set(run, (e.causation, e.reactor, e.generation), self.parts.pop((key, e.append), {}).values())
        elif e.kind == Kind.TIMER:
            yield from self._fired(run, number, e)
        elif e.kind == Kind.EXPIRY and not e.causation and self.judge.log_time < self.deadlines.get(run, 0):
            yield f"{key.decode()} was out of time before its deadline"
        if e.kind == Kind.SIGNAL:
            self.said.setdefault(run, []).extend((number, fact.offset, fact.type) for fact in line.admitted)
        if line.result:
            self.ended[run] = number

    def _set(self, run: tuple[bytes, int], pair: tuple[bytes, bytes, bytes], parts: Any) -> None:
        story = self.judge.runs.get(run[0])
        debt = story.debts.get(pair) if story is not None else None
        for part in parts:
            if not part.flags & Flag.ASK:
                self.due[*run, part.id] = self.judge.log_time + part.delay
                if debt is not None and (unless := self.judge.in_force[pair[1]].unless):
                    self.triggers[*run, part.id] = (debt.since, max(debt.inputs), unless)

    def _fired(self, run: tuple[bytes, int], number: int, e: Envelope) -> Iterator[str]:
        what = f"{e.type.decode()} of {run[0].decode()}"
        if (*run, e.causation) not in self.due:
            yield f"{what} fired, and nobody set it"
            return
        if self.judge.log_time < self.due[*run, e.causation]:
            yield f"{what} fired before its time"
        if self.ended.get(run, number) < number:
            yield f"{what} fired in a run which has its result"
        trigger = self.triggers.get((*run, e.causation))
        if trigger is None:
            return
        since, stands, unless = trigger
        said = self.said.get(run, ())
        if any(
            type in unless and at > self.named[type] and (at > since or offset > stands) for at, offset, type in said
        ):
            yield f"{what} fired though somebody had said what drops it"


def late(world: "World") -> Iterator[str]:
    """What should have come by now."""
    for transcript in world.log.transcripts:
        for run in transcript.fold.runs.values():
            if run.pending is None or run.state is not RunState.OPEN:
                continue
            where = f"partition {transcript.fold.partition}: {run.id.decode()}"
            for timer in (run.pending.timers or {}).values():
                if not timer.decision and world.time() > timer.due + PATIENCE:
                    yield f"{where}: {timer.type.decode()} should have fired, and nobody did it"
            if run.pending.deadline and world.time() > run.pending.deadline + PATIENCE:
                yield f"{where} outlived its deadline"


async def _never(self: Timers, partitions: object) -> None:
    """Nobody looks at what is due."""
    await asyncio.Event().wait()


def _instead(where: object, name: str, what: object) -> Any:
    return partial(patch.object, where, name, what)


def _switches() -> Sequence[Rule]:
    ending = RunState.ENDING
    never_lapse = [
        _instead(taking, "lapse_pending", lambda *_: None),
        partial(patch.dict, TAKES, {ending: TAKES[ending] | {Kind.TIMER}}),
    ]
    return (
        Rule("timers wait", "14", "fired before its time", [_instead(timers, "too_early", lambda *_: None)]),
        Rule("a timer fires once", "14", "entered the history of", [_instead(timers, "let_go", lambda *_: None)]),
        Rule("what drops timers", "14", "fired though", [_instead(setting, "let_go", lambda *_: None)]),
        Rule("unless counts from the trigger", "14", "fired though", [_instead(setting, "_passed", lambda *_: False)]),
        Rule("timers lapse with the End", "14", "which has its result", never_lapse),
        Rule("timers are kept", "14", "should have fired", [_instead(Timers, "run", _never)]),
        Rule("run deadlines", "14", "outlived its deadline",
             [_instead(expiries.timers, "overdue", lambda *_: Verdict.NOT_PENDING)]),
    )  # fmt: skip


_SHOP: Final = {"remind": Reacting(remind, {"unless": Paid}), "settle": settle}
_MILL: Final = {"hurry": hurry, "rush": rush, "rest": rest}

TIMERS: Final = Dance(
    "timers",
    starts={BillBegun: lambda _: {}, HasteBegun: lambda _: {}},
    known=(Paid, Reminded),
    releases={"shop": (_SHOP,), "mill": (_MILL,)},
    complete={"shop": _SHOP, "mill": _MILL},
    actions=((pay, 16),),
    help=wait,
    watchers=(Clockmaker,),
    stuck=late,
    switches=_switches,
)
