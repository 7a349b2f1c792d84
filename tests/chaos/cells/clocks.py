"""Processes that are wrong about the time: libfaketime, if it is installed (Debian: faketime)."""

from pathlib import Path

from chaos.cell import cell
from chaos.stage import Stage
from chaos.trial import Trial

LIBRARY = next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))), None)


@cell(
    "skewed-clocks",
    "one worker of each service is ten minutes ahead and the other ten behind; later each is an hour off the other way",
    tested=None,
    whole={"rate": 40, "seconds": 8},
)
async def skewed_clocks(trial: Trial, rate: float, seconds: float) -> None:
    if LIBRARY is None:
        trial.notes["left out"] = "libfaketime is not installed (Debian: faketime)"
        return
    async with Stage(trial, names=("a", "b")) as stage:
        await stage.press(rate=rate)
        for ahead, behind in (("+10m", "-10m"), ("-1h", "+1h")):
            for hand in stage.crew.hands:
                skew = ahead if hand.name == "a" else behind
                trial.fault("clock", member=hand.member, skew=skew)
                hand.environment = {"LD_PRELOAD": str(LIBRARY), "FAKETIME": skew}
                hand.ask_to_stop()
                await stage.until(hand.has_stopped, f"the end of {hand.member}")
                hand.start()
            await stage.pause(seconds)
        stage.healed()
