"""The handlers of the simulated choreography: what they return depends on chance, and so does whether they fail."""

# mypy: disable-error-code="no-any-return"

import asyncio
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final, TypeVar

from farandole.eventstore import StoreError
from farandole.projections.fold import PairKey
from farandole.reactors import Failed, GiveUp, RetryAfter, Run, Step
from farandole.schemas import Event

from . import events as e
from .process import PROCESS

ASH: Final = (15_000, 30_000)
"""Characters of events that a log may be too small for."""
E = TypeVar("E", bound=Event)


class Unlucky(Exception):
    """What handlers fail with."""


@dataclass(slots=True)
class Execution:
    """One call of a handler."""

    process: str
    run: tuple[int, int]
    """Partition and offset of the run's start."""
    reactor: str
    pair: PairKey
    attempt: int
    began: float
    takes: tuple[int, ...]
    """Tags of what it was given."""
    gives: tuple[int, ...] | None = None
    """Tags of what it returned; None if it did not come to its end."""
    looked_back: tuple[int, ...] | None = None
    """Tags of the run's history as it was shown."""
    looked_for: tuple[str, ...] = ()
    cut_short: bool = False
    """Whether the run's history could not be read, so that the same attempt is made again."""
    saw: tuple[tuple[str, int], ...] = ()
    """Results of sub-steps, by name."""
    key: str = ""
    """The key that it was given for the outside world."""


@dataclass(slots=True)
class Stage:
    """What handlers share in one simulated world."""

    random: Random
    fail: float = 0.0
    """How likely an attempt fails."""
    slow: float = 1.0
    """Seconds that a slow handler takes at most."""
    executions: list[Execution] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    tags: int = 0
    over: bool = False
    """Whether the world is taken down. Tasks are cancelled then in an order that is not the seed's, so nothing counts."""

    def tag(self) -> int:
        self.tags += 1
        return self.tags


STAGE: ContextVar[Stage] = ContextVar("stage")
WORK: ContextVar[Any] = ContextVar("work")
"""The dispatcher's `Work` that is being attempted."""


async def play(*taken: Event, takes: Sequence[type[Event]] = ()) -> Execution:
    """What every handler does first: it is noted, takes its time, and may fail."""
    stage, work, process = STAGE.get(), WORK.get(), PROCESS.get()
    if stage.over:
        raise Unlucky
    chance = stage.random
    now = asyncio.get_running_loop().time()
    tags = tuple(getattr(event, "tag") for event in taken)  # noqa: B009
    run = (work.serving.fold.partition, work.run.offset)
    execution = Execution(str(process), run, work.reactor.name, work.pair.key, work.attempt, now, tags)
    stage.executions.append(execution)
    if takes and not all(isinstance(event, tuple(takes)) for event in taken):
        names = ", ".join(type(event).__name__ for event in taken)
        stage.wrong.append(f"{work.reactor.name} was called with {names}, which it does not take")
    if chance.random() < 0.4:
        await asyncio.sleep(chance.random() ** 3 * stage.slow)
    if chance.random() < stage.fail:
        draw = chance.random()
        if draw < 0.25:
            raise GiveUp("unlucky")
        if draw < 0.35:
            raise RetryAfter(chance.choice(["0s", "1s", "3s"]))
        raise Unlucky
    return execution


def make(execution: Execution, *types: type[Any], **more: Any) -> Any:
    """The events that the execution returns: one, or a tuple of several."""
    stage = STAGE.get()
    made = [type(tag=stage.tag(), **more) for type in types]
    execution.gives = tuple(event.tag for event in made)
    if not made:
        return None
    return made[0] if len(made) == 1 else tuple(made)


async def look_back(execution: Execution, run: Run[Any], *types: type[Any]) -> list[Any]:
    try:
        found = await run.events(*types)
    except StoreError:
        execution.cut_short = True
        raise
    execution.looked_back = tuple(event.tag for event in found)
    execution.looked_for = tuple(type.__name__ for type in types)
    return found


# ── a line ───────────────────────────────────────────────────────────────────────────────────────────────────────────


async def cut(begun: e.LineBegun) -> e.Cut:
    return make(await play(begun), e.Cut)


async def recut(begun: e.LineBegun) -> e.Cut | e.Recut:
    return make(await play(begun), STAGE.get().random.choice([e.Cut, e.Recut]))


async def paint(cut: e.Cut) -> e.Painted | e.Scrapped:
    return make(await play(cut, takes=[e.Cut]), STAGE.get().random.choice([e.Painted, e.Scrapped]))


async def paint_both(cut: e.Cut | e.Recut) -> e.Painted | e.Scrapped:
    return make(await play(cut, takes=[e.Cut, e.Recut]), STAGE.get().random.choice([e.Painted, e.Scrapped]))


async def paint_recut(cut: e.Recut) -> e.Painted:
    return make(await play(cut, takes=[e.Recut]), e.Painted)


async def pack(painted: e.Painted) -> e.LineDone:
    return make(await play(painted), e.LineDone)


async def watch(painted: e.Painted) -> None:
    make(await play(painted))


async def scrap(scrapped: e.Scrapped) -> tuple[e.Swept, e.LineDropped, e.Swept]:
    return make(await play(scrapped), e.Swept, e.LineDropped, e.Swept)


async def sweep(swept: e.Swept) -> e.Burnt | None:
    execution = await play(swept)
    chance = STAGE.get().random
    ash = "-" * chance.choice(ASH) if chance.random() < 0.3 and STAGE.get().fail else ""
    return make(execution, *([e.Burnt] if chance.random() < 0.7 else []), ash=ash)


async def burn(burnt: e.Burnt) -> None:
    make(await play(burnt))


async def tell(end: e.LineDone | e.LineDropped) -> None:
    make(await play(end))


# ── a fork and joins ─────────────────────────────────────────────────────────────────────────────────────────────────


async def fork(begun: e.ForkBegun) -> tuple[e.LeftMade, e.RightMade, e.LeftMade, e.RightMade]:
    return make(await play(begun), e.LeftMade, e.RightMade, e.LeftMade, e.RightMade)


async def left(made: e.LeftMade) -> e.LeftDone:
    return make(await play(made), e.LeftDone)


async def right(made: e.RightMade) -> e.RightDone:
    return make(await play(made), e.RightDone)


async def merge(left: e.LeftDone, right: e.RightDone) -> e.Merged:
    return make(await play(left, right, takes=[e.LeftDone, e.RightDone]), e.Merged)


async def merge_three(begun: e.ForkBegun, left: e.LeftDone, right: e.RightDone) -> e.Merged:
    return make(await play(begun, left, right, takes=[e.ForkBegun, e.LeftDone, e.RightDone]), e.Merged)


async def close(merged: e.Merged, run: Run[e.ForkBegun]) -> e.ForkDone | None:
    execution = await play(merged)
    found = await look_back(execution, run, e.Merged)
    return make(execution, *([e.ForkDone] if len(found) == 2 else []))


# ── a loop ───────────────────────────────────────────────────────────────────────────────────────────────────────────


async def turn(of: e.LoopBegun | e.Turned, step: Step) -> e.Turned | e.LoopDone:
    execution = await play(of)
    execution.key = step.key
    left = of.turns if isinstance(of, e.LoopBegun) else of.left
    return make(execution, e.Turned, left=left - 1) if left else make(execution, e.LoopDone)


async def count(turned: e.Turned, run: Run[e.LoopBegun]) -> None:
    execution = await play(turned)
    await look_back(execution, run, e.LoopBegun, e.Turned)
    make(execution)


# ── failures ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def risk(begun: e.RiskBegun, step: Step) -> e.Risked:
    execution = await play(begun)
    execution.key = step.key
    if STAGE.get().random.random() < 0.4:
        raise GiveUp("risked too much")
    return make(execution, e.Risked)


async def secure(risked: e.Risked) -> e.RiskDone:
    return make(await play(risked), e.RiskDone)


async def mend(failed: Failed[e.RiskBegun]) -> e.RiskMended:
    execution = await play(failed.event)
    stage = STAGE.get()
    if stage.fail and stage.random.random() < 0.4:
        raise GiveUp("cannot be mended")
    return make(execution, e.RiskMended)


async def mourn(failed: Failed[e.RiskBegun]) -> None:
    make(await play(failed.event))


# ── in order ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def deal(begun: e.DealBegun) -> tuple[e.Item, e.Item, e.Item]:
    return make(await play(begun), e.Item, e.Item, e.Item)


async def serve(item: e.Item) -> e.Served:
    return make(await play(item), e.Served)


async def tally(served: e.Served, run: Run[e.DealBegun]) -> e.DealDone | None:
    execution = await play(served)
    found = await look_back(execution, run, e.Served)
    return make(execution, *([e.DealDone] if len(found) == 3 else []))


# ── signals ──────────────────────────────────────────────────────────────────────────────────────────────────────────


async def write(note: e.Note) -> tuple[e.Written, e.Written]:
    return make(await play(note), e.Written, e.Written)


async def recall(note: e.Note, run: Run[e.NotesBegun]) -> None:
    execution = await play(note)
    await look_back(execution, run, e.Note, e.Written)
    make(execution)


async def finish(closed: e.NotesClosed, run: Run[e.NotesBegun]) -> e.NotesDone:
    execution = await play(closed)
    await look_back(execution, run, e.Note, e.Written)
    return make(execution, e.NotesDone)


# ── a ring ───────────────────────────────────────────────────────────────────────────────────────────────────────────


async def ring_up(begun: e.RingBegun) -> tuple[e.Rang, e.RingDone]:
    return make(await play(begun), e.Rang, e.RingDone)


async def ring(rang: e.Rang) -> e.Rang:
    return make(await play(rang), e.Rang)


# ── an end that drops ────────────────────────────────────────────────────────────────────────────────────────────────


async def halt(begun: e.HaltBegun) -> tuple[e.Wasted, e.Halted]:
    return make(await play(begun), e.Wasted, e.Halted)


async def waste(wasted: e.Wasted) -> None:
    make(await play(wasted))
