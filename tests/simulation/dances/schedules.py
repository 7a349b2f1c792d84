"""The clock starts runs: two services declare one schedule, and whoever keeps its partition lets it tick."""

from collections.abc import Iterator, Mapping
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch

from farandole.eventstore import Stored
from farandole.projections.fold import Fold, Result, Verdict, admission
from farandole.projections.fold.applied import Applied
from farandole.projections.fold.rules import schedules as rules
from farandole.reactors import Choreography
from farandole.schemas import End, Event, Start
from farandole.schemas.envelope import Envelope, Kind
from farandole.schemas.kinship import ALLOW, Sender, Ticked
from simulation.handlers import make, play
from simulation.rules import Rule, Switch

from .dance import Dance, Handler, Reacting, Watcher

if TYPE_CHECKING:
    from simulation.judge import Judge
    from simulation.transcript import Line
    from simulation.world import World

NAME: Final = "bell"


class BellRung(Start):
    tag: int


class BellHeard(Event):
    tag: int


class BellStilled(End):
    tag: int


async def listen(rung: BellRung) -> BellHeard:
    return make(await play(rung), BellHeard)


async def still(heard: BellHeard) -> BellStilled:
    return make(await play(heard), BellStilled)


def declare(choreography: Choreography) -> None:
    """Seldom enough for a world to come to rest between two ticks."""
    choreography.schedule(BellRung(tag=1 << 20), name=NAME, every="45s")


def stuck(world: "World") -> Iterator[str]:
    """What a schedule owes to other partitions."""
    for transcript in world.log.transcripts:
        for schedule in transcript.fold.schedules.values():
            for message in (schedule.messages or {}).values():
                yield f"{NAME} owes {Kind(message.kind).name} to {message.key.decode()}, and nobody brings it"


class Clock(Watcher):
    """Ticks, and what they start."""

    def __init__(self, judge: "Judge") -> None:
        super().__init__(judge)
        self._ticks: dict[int, tuple[int, int]] = {}
        """By offset: the tick, and the number of its line."""
        self._last = -1

    def line(self, number: int, line: "Line") -> Iterator[str]:
        e = line.envelope
        if e is None or e.kind != Kind.TICK or line.verdict is not Verdict.ADMITTED:
            return
        said = Ticked.read(e.extra)
        if said is None or line.record.key != NAME.encode():
            return
        if said.ms <= self._last:
            yield f"{NAME} ticked twice at {said.ms}, or late"
        if said.ms > line.log_time:
            yield f"{NAME} ticked before its time"
        self._last = said.ms
        self._ticks[line.record.offset] = (said.ms, number)

    def end(self) -> Iterator[str]:
        """A tick starts nothing while a run that an earlier one started has no result."""
        world, here = self.judge.world, self.judge.transcript.fold.partition
        # A copy of its start that comes after the dedup window begins its run again, as any start's would.
        first: dict[int, tuple[int, int]] = {}
        for tick, started in self._started(world):
            if tick in self._ticks:
                first.setdefault(tick, started)
        runs = sorted(first.items())
        for (_, former), (tick, _) in pairwise(runs):
            over = next(self._results(world, *former), None)
            if over is None or over > world.log.arrived[here][tick]:
                yield f"{NAME} started a run while an earlier one was open"

    @staticmethod
    def _started(world: "World") -> Iterator[tuple[int, tuple[int, int]]]:
        """Offsets of ticks, and of the starts that came of them."""
        for transcript in world.log.transcripts:
            for line in transcript.lines:
                e = line.envelope
                if e is not None and e.kind == Kind.START and line.verdict is Verdict.ADMITTED:
                    sender = Sender.read(e.extra)
                    if sender is not None and sender.of_schedule and sender.key == NAME.encode():
                        yield sender.offset, (transcript.fold.partition, line.record.offset)

    @staticmethod
    def _results(world: "World", partition: int, offset: int) -> Iterator[float]:
        """When the run that began there got its result."""
        lines = world.log.transcripts[partition].lines
        key = lines[offset].record.key
        for line in lines[offset:]:
            if line.record.key == key and line.result is not Result.NONE:
                yield world.log.arrived[partition][line.record.offset]


# ── without a rule ───────────────────────────────────────────────────────────────────────────────────────────────────


def _any_tick(fold: Fold, record: Stored, e: Envelope, out: Applied) -> Verdict:
    """A tick is taken whichever came before."""
    schedule = fold.schedules.get(record.key or b"")
    if schedule is not None:
        schedule.last = -1
    return rules.tick(fold, record, e, out)


def _at_any_time(fold: Fold, record: Stored, e: Envelope, out: Applied) -> Verdict:
    """A tick is taken before its time."""
    said, now = Ticked.read(e.extra), fold.log_time
    if said is None:
        return rules.tick(fold, record, e, out)
    fold.log_time = max(now, said.ms)
    try:
        return rules.tick(fold, record, e, out)
    finally:
        fold.log_time = now


_ticked = rules.ticked


def _all_at_once(fold: Fold, schedule: Any, tick: Ticked, *more: Any) -> None:
    _ticked(fold, schedule, tick._replace(overlap=ALLOW), *more)


def _switches() -> list[Rule]:
    def tick(rule: Any) -> Switch:
        return partial(patch.dict, admission.RULES, {Kind.TICK: rule})

    return [
        Rule("ticks ascend", "17", "ticked twice", [tick(_any_tick)]),
        Rule("ticks are due", "17", "ticked before its time", [tick(_at_any_time)]),
        Rule("overlap", "17", "while an earlier one was open", [partial(patch.object, rules, "ticked", _all_at_once)]),
    ]


_YARD: Final[Mapping[str, Handler | Reacting]] = {"listen": listen}
_MILL: Final[Mapping[str, Handler | Reacting]] = {"still": still}

SCHEDULES: Final = Dance(
    "schedules",
    known=(BellRung,),
    releases={"yard": (_YARD,), "mill": (_MILL,)},
    complete={"yard": _YARD, "mill": _MILL},
    declares=declare,
    watchers=(Clock,),
    stuck=stuck,
    switches=_switches,
)
