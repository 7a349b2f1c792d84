"""Workers that stand still until they are taken for dead, and then go on where they were."""

import asyncio
import signal
import time

from chaos.cell import cell
from chaos.stage import Stage
from chaos.trial import Trial
from checker.record import Kind
from checker.verdict import Verdict
from flow.workers import SERVICES

_SURE = 6.0
"""Seconds of ordinary work after which nobody is careful any more."""


@cell(
    "zombie",
    "a worker is stopped (SIGSTOP) in the middle of a step until its share has moved and the step is done, then goes on",
    tested={"times": 1, "rate": 20, "session": 4},
    whole={"times": 6, "rate": 30, "session": 4, "promised": 2},
)
async def zombie(trial: Trial, times: int, rate: float, session: float, promised: float | None = None) -> None:
    bound = None if promised is None else session + promised
    async with Stage(trial, names=("a", "b"), session=session) as stage:
        for _ in range(times):
            await one_zombie(stage, rate, bound)
            await _settled(stage, rate)
        stage.healed()


@cell(
    "zombie-for-long",
    "as `zombie`, with the session that workers have by default; it stands still for 20 s, and for 60 s",
    whole={"hold": [20, 60], "rate": 30, "session": 10, "promised": 2},
)
async def zombie_for_long(trial: Trial, hold: list[float], rate: float, session: float, promised: float) -> None:
    async with Stage(trial, names=("a", "b"), session=session) as stage:
        for seconds in hold:
            await one_zombie(stage, rate, session + promised, seconds)
            await _settled(stage, rate)
        stage.healed()


async def one_zombie(stage: Stage, rate: float, bound: float | None = None, hold: float = 0) -> None:
    trial = stage.trial
    run = f"order-{stage.next_orders(1)[0]}"
    # A handler that waits would be told, if its worker reads on before it ends, that the step is done: it is stopped where
    # nothing but its own code can run any more.
    before = len(stage.notes.blocked())
    load = await stage.press(rate=rate, cards=["block:2"])

    await stage.until(lambda: len(stage.notes.blocked()) > before, "the end of the step's handler")
    member = stage.notes.blocked()[before]
    hand = next(hand for hand in stage.crew.hands if hand.member == member)
    share = stage.partitions_of(hand)
    trial.fault("SIGSTOP", member=member, partitions=sorted(share))
    stopped = _now()
    hand.signal(signal.SIGSTOP)
    try:
        await stage.recovery("stopped", stopped, ["payments"], share, bound)
        await stage.until(lambda: _outcomes(stage, run) == [Verdict.ADMITTED], "the other worker's outcome")
        await stage.pause(hold - (_now() - stopped) / 1000)
    finally:
        hand.signal(signal.SIGCONT)
    trial.did("SIGCONT", member=member)
    woken = _now()
    if hold:
        # Its attempt is over by its step's own timeout: it says so, or says nothing, and works on.
        await stage.until(lambda: _works(stage, member, woken), "the zombie's next step")
    else:
        await stage.until(lambda: len(_outcomes(stage, run)) > 1, "the zombie's outcome")
    verdicts = _outcomes(stage, run)
    ended = [n.member for n in stage.notes.all() if n.what == "ends" and n.about[:2] == ("take_payment", run)]
    trial.notes.setdefault("zombies", []).append({"run": run, "ended": ended, "verdicts": [v.name for v in verdicts]})
    if not hold and (ended[-1] != member or len(set(ended)) != 2):
        trial.wrong(f"the handler of {run} ended in {ended}; the zombie is {member}")
    if verdicts[0] is not Verdict.ADMITTED or any(v < Verdict.UNREADABLE for v in verdicts[1:]):
        trial.wrong(f"the outcomes of {run} were {verdicts}")
    load.stop()
    await stage.until(lambda: stage.idle, "calm")


async def _settled(stage: Stage, rate: float) -> None:
    """Let both workers have a share of which they are sure: what is begun right after a rebalance is claimed, and whoever
    stands still for longer than a claim holds writes no outcome.
    """
    await stage.press(rate=rate, most=int(_SURE * rate))
    await stage.until(lambda: stage.idle, "ordinary work")


def _works(stage: Stage, member: str, since: int) -> bool:
    """Whether a worker has begun a step after a time."""
    return any(n.member == member and n.what == "begins" and n.at > since for n in reversed(stage.notes.all()))


def _outcomes(stage: Stage, run: str) -> list[Verdict]:
    """What became of each outcome of the run's payment in the raw log."""
    return [
        verdict
        for part in stage.found.partitions
        for raw, head, verdict in part.records
        if head is not None
        and raw.key == run.encode()
        and head.kind == Kind.OUTCOME
        and head.reactor == b"take_payment"
    ]


def _now() -> int:
    return time.time_ns() // 1_000_000


@cell(
    "frozen-broker",
    "the broker stands still (SIGSTOP) for longer than the request timeout, then goes on",
    tested=None,
    whole={"times": 2, "seconds": 8, "rate": 40},
)
async def frozen_broker(trial: Trial, times: int, seconds: float, rate: float) -> None:
    async with Stage(trial, session=6, options="&request_timeout=3&append_timeout=6") as stage:
        await stage.press(rate=rate)
        for _ in range(times):
            await stage.pause(trial.random.uniform(1, 3))
            trial.fault("SIGSTOP broker", seconds=seconds)
            trial.broker.pause()
            try:
                await asyncio.sleep(seconds)
            finally:
                trial.broker.resume()
            trial.did("SIGCONT broker")
            await stage.recovery("frozen", _now(), SERVICES, range(stage.partitions))
        stage.healed()
