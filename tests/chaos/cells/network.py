"""Networks between the workers and the broker, as bad as a proxy can make them."""

import time
from collections.abc import Awaitable, Callable
from typing import Any

from chaos.cell import cell
from chaos.stage import Stage
from chaos.trial import Trial
from flow.workers import SERVICES

SHORT = "&request_timeout=2&append_timeout=4"


async def _again_and_again(
    trial: Trial,
    what: str,
    harm: Callable[[Stage], Awaitable[None]],
    *,
    times: int,
    rate: float,
    within: tuple[float, float] = (0.5, 2),
    told: dict[str, Any],
    **stage: Any,
) -> None:
    """Harm the network of a stage, and let it recover, a few times.

    Args:
        harm: does it, and mends it.
        within: seconds between one recovery and the next harm, at least and at most.
        told: what the schedule says of the harm.
        stage: how the stage is set up.
    """
    async with Stage(trial, proxied=True, **stage) as on:
        await on.press(rate=rate)
        for _ in range(times):
            await on.pause(trial.random.uniform(*within))
            trial.fault(what, **told)
            await harm(on)
            await _recovered(on, what)
        on.healed()


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
    async def harm(stage: Stage) -> None:
        stage.proxy.reset()

    await _again_and_again(trial, "reset", harm, times=times, rate=rate, within=(0.1, 1), told={})


@cell(
    "black-hole",
    "nothing comes through either way for longer than the request timeout, and the session",
    tested={"times": 1, "seconds": 5, "rate": 20, "session": 3},
    whole={"times": 6, "seconds": 8, "rate": 40, "session": 4},
)
async def black_hole(trial: Trial, seconds: float, **amounts: Any) -> None:
    async def harm(stage: Stage) -> None:
        async with stage.proxy.silent():
            await stage.pause(seconds)

    await _again_and_again(trial, "black hole", harm, **amounts, told={"seconds": seconds}, options=SHORT)


@cell(
    "refused",
    "no connection is possible for longer than the session",
    tested=None,
    whole={"times": 6, "seconds": 6, "rate": 40, "session": 4},
)
async def refused(trial: Trial, seconds: float, **amounts: Any) -> None:
    async def harm(stage: Stage) -> None:
        async with stage.proxy.down():
            await stage.pause(seconds)

    await _again_and_again(trial, "refused", harm, **amounts, told={"seconds": seconds}, options=SHORT)


@cell(
    "lost-answers",
    "the broker gets everything, and nobody gets its answers, until appends are given up with their fate unknown",
    tested={"times": 1, "seconds": 5, "rate": 20},
    whole={"times": 6, "seconds": 6, "rate": 40},
)
async def lost_answers(trial: Trial, seconds: float, **amounts: Any) -> None:
    async def harm(stage: Stage) -> None:
        stage.proxy.hold_answers = True
        await stage.pause(seconds)
        stage.proxy.hold_answers = False
        # What was swallowed is gone: no connection could go on in the middle of an answer.
        stage.proxy.reset()

    await _again_and_again(trial, "lost answers", harm, **amounts, told={"seconds": seconds}, session=10, options=SHORT)


@cell(
    "latency",
    "each piece is 200 ms late, 100 ms more or less, both ways",
    tested={"seconds": 4, "rate": 20, "delay": 0.2, "jitter": 0.1},
    whole={"seconds": 30, "rate": 40, "delay": 0.2, "jitter": 0.1},
)
@cell(
    "narrow",
    "no connection passes on more than 64 kB a second, either way",
    whole={"seconds": 30, "rate": 20, "bandwidth": 64_000},
)
async def far_away(
    trial: Trial, seconds: float, rate: float, delay: float = 0, jitter: float = 0, bandwidth: int = 0
) -> None:
    async with Stage(trial, proxied=True) as stage:
        proxy = stage.proxy
        await stage.press(rate=rate)
        trial.fault("far away", delay=delay, jitter=jitter, bandwidth=bandwidth)
        proxy.delay = proxy.answer_delay = delay
        proxy.jitter, proxy.bandwidth = jitter, bandwidth
        began, before = time.monotonic(), stage.found.closed
        # Runs that were under way when it began are closed first; more than these show that it works this way, too.
        await stage.until(lambda: stage.found.closed > before + rate, "runs on a bad network")
        await stage.pause(seconds - (time.monotonic() - began))
        took, closed = time.monotonic() - began, stage.found.closed - before
        proxy.delay = proxy.answer_delay = proxy.jitter = 0.0
        proxy.bandwidth = 0
        await _recovered(stage, trial.cell)
        stage.healed()
    trial.notes["runs closed a second meanwhile, of those that would be started"] = f"{closed / took:.1f} of {rate:g}"


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
