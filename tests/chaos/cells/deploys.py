"""Workers that end as they are told to: rolling restarts, other releases, and members that come and go."""

import time
from collections import Counter

from chaos.cell import cell
from chaos.crew import Hand
from chaos.judge import raw_duplicates
from chaos.stage import Stage
from chaos.trial import Trial
from chaos.upgrade import ONLY_IN
from flow.workers import SERVICES


async def replace(stage: Stage, hand: Hand, release: str = "1") -> None:
    """Ask a worker to stop, and start its successor once it has."""
    stage.trial.fault("SIGTERM", member=hand.member, release=release)
    at = time.time_ns() // 1_000_000
    hand.ask_to_stop()
    await stage.until(hand.has_stopped, f"the end of {hand.member}")
    hand.release = release
    hand.start()
    await stage.recovery("replaced", at, [hand.service], range(stage.partitions))


@cell(
    "rolling-restart",
    "each of two workers of each service is asked to stop (SIGTERM) and comes back, one after the other",
    tested=None,
    whole={"times": 2, "rate": 40},
)
async def rolling_restart(trial: Trial, times: int, rate: float) -> None:
    async with Stage(trial, names=("a", "b")) as stage:
        await stage.press(rate=rate)
        for _ in range(times):
            for hand in stage.crew.hands:
                await replace(stage, hand)
        stage.healed()
    _nothing_was_doubled(stage)


@cell(
    "rolling-deploy",
    "all workers are replaced by those of a release whose events have one optional field more and one fewer, and back",
    tested={"times": 1, "rate": 20, "names": ["a"]},
    whole={"times": 1, "rate": 40, "names": ["a", "b"]},
)
async def rolling_deploy(trial: Trial, times: int, rate: float, names: list[str]) -> None:
    async with Stage(trial, names=names, crew={"environment": {"CHAOS_UPGRADE": "1"}}) as stage:
        await stage.press(rate=rate)
        for release in ("2", "1") * times:
            for hand in stage.crew.hands:
                await replace(stage, hand, release)
        stage.healed()
    _nothing_was_doubled(stage)
    packed = Counter(
        field
        for part in stage.found.partitions
        for raw, head, _ in part.records
        if head is not None and head.type == b"orders.OrderPacked"
        for field in stage.found.catalogue.decode(raw.value)
    )
    trial.notes["packed, by the fields that were written"] = dict(packed)
    if not all(packed[field] for field in ONLY_IN.values()) or packed["box"] != sum(
        packed[f] for f in ONLY_IN.values()
    ):
        trial.wrong(f"not both releases packed: {dict(packed)}")


def _nothing_was_doubled(stage: Stage) -> None:
    copies, again = raw_duplicates(stage), stage.trial.figures["executed_again"]
    if copies or again:
        stage.trial.wrong(f"I4: nobody was killed, and {copies} outcomes were doubled, {again} handlers called again")


@cell(
    "rebalance-storm",
    "a worker without a name joins, or leaves, a service every two seconds",
    tested={"seconds": 6, "rate": 20},
    whole={"seconds": 60, "rate": 40},
)
async def rebalance_storm(trial: Trial, seconds: float, rate: float) -> None:
    async with Stage(trial, names=("a",)) as stage:
        load = await stage.press(rate=rate)
        quiet = await _throughput(stage, 3)
        until = time.monotonic() + seconds
        began, closed = time.monotonic(), stage.found.closed
        guests: list[Hand] = []
        while time.monotonic() < until:
            service = trial.random.choice(SERVICES)
            if guests and len(guests) >= 2:
                guest = guests.pop(0)
                trial.fault("leaves", member=guest.member)
                guest.ask_to_stop()
                stage.crew.gone.append(guest)
            else:
                guest = Hand(
                    service, f"guest{len(stage.crew.gone) + len(guests)}", stage.url, trial.folder, static=False
                )
                trial.fault("joins", member=guest.member)
                guest.start()
                guests.append(guest)
            await stage.pause(2)
        kept = (stage.found.closed - closed) / (time.monotonic() - began) / quiet
        trial.notes["throughput kept in the storm"] = round(kept, 2)
        if kept < 0.3:
            trial.wrong(f"in the storm {kept:.0%} of the throughput was left")
        for guest in guests:
            guest.ask_to_stop()
            stage.crew.gone.append(guest)
        at = time.time_ns() // 1_000_000
        await stage.until(lambda: all(guest.has_stopped() for guest in stage.crew.gone), "the end of the guests")
        stage.healed()
        await stage.recovery("the last one left", at, SERVICES, range(stage.partitions))
        load.stop()


async def _throughput(stage: Stage, seconds: float) -> float:
    before = stage.found.closed
    await stage.pause(seconds)
    return (stage.found.closed - before) / seconds
