"""Networks between the workers and the broker, as bad as a proxy can make them."""

import time

from chaos.cell import cell
from chaos.stage import Stage
from chaos.trial import Trial
from flow.workers import SERVICES

SHORT = "&request_timeout=2&append_timeout=4"


async def _recovered(stage: Stage, what: str) -> None:
    """From now on the network is as it should be; wait until each partition has an outcome of some service."""
    at = time.time_ns() // 1_000_000
    stage.trial.did(f"end of {what}")
    await stage.recovery(what, at, SERVICES, range(stage.partitions))


@cell(
    "reset",
    "all connections are reset (RST), again and again",
    tested={"times": 5, "rate": 20},
    whole={"times": 40, "rate": 40},
)
async def reset(trial: Trial, times: int, rate: float) -> None:
    async with Stage(trial, proxied=True) as stage:
        await stage.press(rate=rate)
        for _ in range(times):
            await stage.pause(trial.random.uniform(0.1, 1))
            trial.fault("reset")
            stage.proxy.reset()
            await _recovered(stage, "reset")
        stage.healed()


@cell(
    "black-hole",
    "nothing comes through either way for longer than the request timeout, and the session",
    tested={"times": 1, "seconds": 5, "rate": 20, "session": 3},
    whole={"times": 6, "seconds": 8, "rate": 40, "session": 4},
)
async def black_hole(trial: Trial, times: int, seconds: float, rate: float, session: float) -> None:
    async with Stage(trial, proxied=True, session=session, options=SHORT) as stage:
        await stage.press(rate=rate)
        for _ in range(times):
            await stage.pause(trial.random.uniform(0.5, 2))
            trial.fault("black hole", seconds=seconds)
            async with stage.proxy.silent():
                await stage.pause(seconds)
            await _recovered(stage, "black hole")
        stage.healed()


@cell(
    "refused",
    "no connection is possible for longer than the session",
    tested=None,
    whole={"times": 6, "seconds": 6, "rate": 40, "session": 4},
)
async def refused(trial: Trial, times: int, seconds: float, rate: float, session: float) -> None:
    async with Stage(trial, proxied=True, session=session, options=SHORT) as stage:
        await stage.press(rate=rate)
        for _ in range(times):
            await stage.pause(trial.random.uniform(0.5, 2))
            trial.fault("refused", seconds=seconds)
            async with stage.proxy.down():
                await stage.pause(seconds)
            await _recovered(stage, "refused")
        stage.healed()


@cell(
    "lost-answers",
    "the broker gets everything, and nobody gets its answers, until appends are given up with their fate unknown",
    tested={"times": 1, "seconds": 5, "rate": 20},
    whole={"times": 6, "seconds": 6, "rate": 40},
)
async def lost_answers(trial: Trial, times: int, seconds: float, rate: float) -> None:
    async with Stage(trial, proxied=True, session=10, options=SHORT) as stage:
        await stage.press(rate=rate)
        for _ in range(times):
            await stage.pause(trial.random.uniform(0.5, 2))
            trial.fault("lost answers", seconds=seconds)
            stage.proxy.hold_answers = True
            await stage.pause(seconds)
            stage.proxy.hold_answers = False
            # What was swallowed is gone: no connection could go on in the middle of an answer.
            stage.proxy.reset()
            await _recovered(stage, "lost answers")
        stage.healed()


@cell(
    "slow-and-torn",
    "each piece is late, and so small that no message comes in one",
    tested={"seconds": 4, "rate": 20},
    whole={"seconds": 30, "rate": 20},
)
async def slow_and_torn(trial: Trial, seconds: float, rate: float) -> None:
    async with Stage(trial, proxied=True) as stage:
        await stage.press(rate=rate)
        for delay, size in ((0.1, 65_536), (0.0, 97), (0.005, 1000)):
            trial.fault("slow and torn", delay=delay, bytes=size)
            stage.proxy.delay, stage.proxy.slice = delay, size
            await stage.pause(seconds / 3)
        stage.proxy.delay, stage.proxy.slice = 0.0, 65_536
        await _recovered(stage, "slow and torn")
        stage.healed()
