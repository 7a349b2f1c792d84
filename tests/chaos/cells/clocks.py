"""Processes that are wrong about the time: libfaketime, if it is installed (Debian: faketime)."""

import time
from pathlib import Path

from chaos.cell import cell
from chaos.stage import Stage
from chaos.trial import Trial
from flow.workers import SERVICES

LIBRARY = next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))), None)
CLOCK_CELLS = ("skewed-clocks", "clock-steps")


def _library() -> str:
    if LIBRARY is None:
        raise FileNotFoundError("libfaketime is not installed (Debian: faketime)")
    return str(LIBRARY)


@cell(
    "skewed-clocks",
    "one worker of each service is ten minutes ahead and the other ten behind; later each is an hour off the other way",
    tested=None,
    whole={"rate": 40, "seconds": 8},
)
async def skewed_clocks(trial: Trial, rate: float, seconds: float) -> None:
    library = _library()
    async with Stage(trial, names=("a", "b")) as stage:
        await stage.press(rate=rate)
        for ahead, behind in (("+10m", "-10m"), ("-1h", "+1h")):
            for hand in stage.crew.hands:
                skew = ahead if hand.name == "a" else behind
                trial.fault("clock", member=hand.member, skew=skew)
                hand.environment = {"LD_PRELOAD": library, "FAKETIME": skew}
                hand.ask_to_stop()
                await stage.until(hand.has_stopped, f"the end of {hand.member}")
                hand.start()
            await stage.pause(seconds)
        stage.healed()


@cell(
    "clock-steps",
    "the clocks of all workers are set an hour back while they work, then an hour ahead, then right",
    tested={"rate": 20, "seconds": 2},
    whole={"rate": 40, "seconds": 10},
)
async def clock_steps(trial: Trial, rate: float, seconds: float) -> None:
    clock = trial.folder / "clock"
    clock.write_text("+0")
    faked = {"LD_PRELOAD": _library(), "FAKETIME_TIMESTAMP_FILE": str(clock), "FAKETIME_NO_CACHE": "1"}
    async with Stage(trial, crew={"environment": faked}) as stage:
        await stage.press(rate=rate)
        for step in ("-1h", "+1h", "+0"):
            trial.fault("clock", skew=step)
            # A reader finds the one or the other, never an empty file.
            clock.with_suffix(".new").write_text(step)
            clock.with_suffix(".new").rename(clock)
            at, before = time.time_ns() // 1_000_000, stage.found.records
            await stage.recovery(f"clock set to {step}", at, SERVICES, range(stage.partitions))
            await stage.pause(seconds)
            trial.notes[f"records while the clock was {step}"] = stage.found.records - before
        stage.healed()
    off = [
        head.sent / 1000 - raw.time
        for part in stage.found.partitions
        for raw, head, _ in part.records
        if head is not None
    ]
    hours = {round(each / 3_600_000) for each in off}
    trial.notes["hours by which records were sent before or after they came"] = sorted(hours)
    if not {-1, 1} <= hours:
        trial.wrong(f"the clocks of workers were not set: records are off by {sorted(hours)} hours")
