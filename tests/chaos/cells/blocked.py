"""A step that keeps the event loop of each worker that takes it from running."""

import asyncio
import time
from typing import Final

from chaos.blocking import losses, wrong_losses
from chaos.cell import cell
from chaos.crew import Hand
from chaos.effects import seconds_of
from chaos.ledger import Note
from chaos.trial import Trial, middle, near_worst
from chaos.vigil import Vigil
from chaos.waits import HoleWanted, LoopWanted
from farandole.reactors.settings import put_in_force

_EVERY: Final = 0.25
"""Seconds between two lots of healthy runs."""
_QUIET: Final = 2
"""Claims for which nobody must begin a step that is parked."""


@cell(
    "blocked-in-turn",
    "a step that never gives the event loop back blocks each worker that takes it, one after the other, beside healthy runs; "
    "one that is blocked is killed and started again once another has the step",
    tested={"most": 2, "rate": 24, "lease": 3, "session": 3},
    whole={"most": 10, "rate": 24, "lease": 6, "session": 3, "promised": 2},
)
async def blocked_in_turn(
    trial: Trial, most: int, rate: float, lease: float, session: float, promised: float | None = None
) -> None:
    """Healthy runs go on elsewhere; the step is counted as losing its worker, parked after so many losses, and left alone.
    When what blocked is mended and it is tried again, its run ends.
    """
    marker = trial.folder / "blocks"
    crew = {"environment": {"CHAOS_LEASE": f"{lease * 1000:.0f}", "CHAOS_BLOCKS": str(marker)}}
    async with Vigil(trial, session=session, crew=crew) as stage:
        await put_in_force(stage.client, "lost_most", most)
        healthy = asyncio.create_task(_press(stage, rate))
        try:
            await stage.all_at_work()
            marker.touch()
            [run] = await stage.begin(LoopWanted())
            blocks = await _one_after_the_other(stage, run, promised)
            await stage.pause(_QUIET * lease)
            if later := len(_blocks(stage, run)) - len(blocks):
                trial.wrong(f"the step was begun {later} times after it was parked")
            marker.unlink()
            stage.kill(_hand(stage, blocks[-1]))
            await stage.client.run(run).retry()
        finally:
            healthy.cancel()
            await asyncio.wait([healthy])
        await stage.until(lambda: stage.idle, "the healthy runs, and the one that was tried again")
        stage.healed()
    lost = losses(record for part in stage.found.partitions for record in part.records)
    trial.wrong(*wrong_losses(lost, blocks, run, most))
    trial.figures["workers_blocked"] = len(blocks)
    trial.figures["said_lost"] = sum(each.run == run for each in lost)
    trial.figures["healthy_lost_along"] = len(along := {each.run for each in lost} - {run})
    took = [seconds for each, seconds in seconds_of(stage.found).items() if each not in (run, *along)]
    trial.notes["start to end of the healthy runs"] = {
        "runs": len(took),
        "p50": middle(took),
        "p99": near_worst(took),
        "longest": max(took),
    }


async def _press(stage: Vigil, rate: float) -> None:
    """Start healthy runs, until cancelled."""
    while True:
        await stage.begin(*[HoleWanted(seconds=0)] * round(rate * _EVERY))
        await asyncio.sleep(_EVERY)


async def _one_after_the_other(stage: Vigil, run: str, promised: float | None) -> list[Note]:
    """See each worker blocked, and healthy runs go on elsewhere, until the step is parked; each time that it blocked one."""
    seen: list[Note] = []
    while True:
        await stage.until(
            lambda: len(_blocks(stage, run)) > len(seen) or _parked(stage, run), "the next one, or the end"
        )
        if len(_blocks(stage, run)) == len(seen):
            return seen
        note = _blocks(stage, run)[len(seen)]
        blocked, former = _hand(stage, note), seen[-1] if seen else None
        share = stage.partitions_of(blocked)
        stage.trial.fault("event loop blocked", member=note.member, partitions=sorted(share))
        seen.append(note)
        if former is not None and former.member != note.member:
            stage.kill(_hand(stage, former))
        elsewhere = {*range(stage.partitions)} - share
        await stage.recovery("elsewhere", _now(), stage.services, elsewhere, promised)


def _blocks(stage: Vigil, run: str) -> list[Note]:
    return [note for note in stage.notes.all() if note.what == "begins" and note.about[:2] == ("spin", run)]


def _parked(stage: Vigil, run: str) -> bool:
    key = run.encode()
    return any(
        debt.parked
        for part in stage.found.partitions
        if key in part.fold.runs
        for debt in part.fold.runs[key].owed.values()
    )


def _hand(stage: Vigil, note: Note) -> Hand:
    return next(hand for hand in stage.crew.hands if hand.member == note.member)


def _now() -> int:
    return time.time_ns() // 1_000_000
