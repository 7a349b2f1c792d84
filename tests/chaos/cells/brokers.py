"""Brokers that are restarted, and killed."""

import asyncio
import resource
import time
from pathlib import Path
from typing import Final

from chaos.broker import ThreeBrokers
from chaos.cell import cell
from chaos.stage import Stage
from chaos.trial import Trial
from flow.workers import SERVICES

ROOM: Final = 20_000
"""Bytes that the largest of the broker's files may still grow by when its disk is full."""
STANDS: Final = 0.09
GOES: Final = 0.01
"""Seconds for which a slow broker stands still, and for which it works then."""


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
    "restart-of-three",
    "one of three brokers (three replicas, two in sync) is stopped (SIGTERM), and started again a while later",
    whole={"times": 3, "seconds": 5, "rate": 30, "how": "stop"},
)
@cell(
    "broker-of-three",
    "one of three brokers (three replicas, two in sync) is killed with -9, and started again a while later",
    whole={"times": 4, "seconds": 5, "rate": 30, "how": "kill"},
)
async def broker_of_three(trial: Trial, times: int, seconds: float, rate: float, how: str) -> None:
    with ThreeBrokers() as three:
        async with Stage(trial, bootstrap=three.bootstrap) as stage:
            await stage.press(rate=rate)
            for n in range(times):
                broker = three.brokers[n % 3]
                await stage.pause(trial.random.uniform(1, 2))
                trial.fault(f"{how} a broker", broker=n % 3 + 1)
                at = time.time_ns() // 1_000_000
                await asyncio.to_thread(getattr(broker, how))
                await stage.recovery("one of three gone", at, SERVICES, range(stage.partitions))
                await stage.pause(seconds)
                await asyncio.to_thread(broker.start)
                trial.did("the broker is up")
                await stage.pause(seconds)
            stage.healed()


@cell(
    "broker-full",
    "the broker's files can grow no further, as on a full disk; then there is room, and it is started again",
    whole={"times": 3, "seconds": 10, "rate": 40},
)
async def broker_full(trial: Trial, times: int, seconds: float, rate: float) -> None:
    """It may end by itself, or refuse what it cannot write; nothing that it acknowledged may be lost."""
    broker = trial.broker
    async with Stage(trial, options="&request_timeout=3&append_timeout=6") as stage:
        await stage.press(rate=rate)
        for _ in range(times):
            await stage.pause(trial.random.uniform(1, 2))
            most = max(path.stat().st_size for path in Path(broker.home).glob("log/orders.events-*/*.log")) + ROOM
            trial.fault("no room", bytes=most)
            resource.prlimit(broker.pid, resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))
            await stage.until(lambda: not broker.running or "too large" in broker.tail(), "the end of the room")
            await stage.pause(seconds)
            how = "refuses" if broker.running else "has ended"
            trial.did(f"the broker {how}")
            trial.notes.setdefault("a broker without room", []).append(how)
            if broker.running:
                resource.prlimit(broker.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            await asyncio.to_thread(broker.restart)
            trial.did("room again, and the broker is up")
            at = time.time_ns() // 1_000_000
            await stage.recovery("room again", at, SERVICES, range(stage.partitions))
        stage.healed()


@cell(
    "broker-slow",
    "the broker stands still nine tenths of the time: 90 ms (SIGSTOP), then 10 ms of work",
    tested={"seconds": 5, "rate": 10},
    whole={"seconds": 20, "rate": 20},
)
async def broker_slow(trial: Trial, seconds: float, rate: float) -> None:
    broker = trial.broker
    async with Stage(trial) as stage:
        await stage.press(rate=rate)
        trial.fault("slow broker", seconds=seconds)
        until, records = time.monotonic() + seconds, stage.found.records
        try:
            while time.monotonic() < until:
                broker.pause()
                await asyncio.sleep(STANDS)
                broker.resume()
                await asyncio.sleep(GOES)
        finally:
            broker.resume()
        trial.notes["records a second meanwhile"] = round((stage.found.records - records) / seconds, 1)
        trial.did("end of the slow broker")
        at = time.time_ns() // 1_000_000
        await stage.recovery("slow broker", at, SERVICES, range(stage.partitions))
        stage.healed()
