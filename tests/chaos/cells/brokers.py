"""Brokers that are restarted, and killed."""

import asyncio
import time

from chaos.broker import ThreeBrokers
from chaos.cell import cell
from chaos.stage import Stage
from chaos.trial import Trial
from flow.workers import SERVICES


@cell(
    "broker-restart",
    "the only broker is stopped (SIGTERM) and started again",
    tested=None,
    whole={"times": 3, "rate": 40, "how": "stop"},
)
@cell(
    "broker-kill",
    "the only broker is killed with -9 and started again",
    tested={"times": 1, "rate": 20, "how": "kill"},
    whole={"times": 6, "rate": 40, "how": "kill"},
)
async def broker_ends(trial: Trial, times: int, rate: float, how: str) -> None:
    async with Stage(trial) as stage:
        await stage.press(rate=rate)
        for _ in range(times):
            await stage.pause(trial.random.uniform(1, 2))
            trial.fault(f"{how} the broker")
            began = time.monotonic()
            await asyncio.to_thread(getattr(trial.broker, how))
            await asyncio.to_thread(trial.broker.start)
            trial.did("the broker is up", seconds=round(time.monotonic() - began, 1))
            at = time.time_ns() // 1_000_000
            await stage.recovery("broker up again", at, SERVICES, range(stage.partitions))
        stage.healed()


@cell(
    "broker-of-three",
    "one of three brokers (three replicas, two in sync) is killed with -9, and started again a while later",
    whole={"times": 4, "seconds": 5, "rate": 30},
)
async def broker_of_three(trial: Trial, times: int, seconds: float, rate: float) -> None:
    with ThreeBrokers() as three:
        async with Stage(trial, bootstrap=three.bootstrap) as stage:
            await stage.press(rate=rate)
            for n in range(times):
                broker = three.brokers[n % 3]
                await stage.pause(trial.random.uniform(1, 2))
                trial.fault("kill a broker", broker=n % 3 + 1)
                at = time.time_ns() // 1_000_000
                await asyncio.to_thread(broker.kill)
                await stage.recovery("one of three gone", at, SERVICES, range(stage.partitions))
                await stage.pause(seconds)
                await asyncio.to_thread(broker.start)
                trial.did("the broker is up")
                await stage.pause(seconds)
            stage.healed()
