"""Handlers that misbehave: slow, blocking, never working, making more than the log takes."""

import time
from collections import Counter
from typing import Final

from chaos.cell import cell
from chaos.effects import seconds_of
from chaos.stage import WARM, Stage
from chaos.trial import Trial, middle, near_worst
from checker.record import Kind
from farandole.eventstore import TooLarge
from farandole.eventstore.sizes import record_bytes
from farandole.reactors import Choreography
from farandole.schemas import EncodingError, Start

_POISONED: Final = 5_000_001
"""The first order with which something is wrong, of every two."""
TOO_LARGE: Final = {"farandole.reactors.attempt.TooLargeOutcome", "farandole.schemas.errors.EncodingError"}
"""How the failure is called: one is beyond what the log takes, the other beyond what any event may be."""


@cell(
    "slow-handler",
    "handlers take longer than the group's session (there is no poll interval to exceed: the group's client is polled on)",
    tested={"handlers": 5, "seconds": 4, "session": 2, "rate": 20},
    whole={"handlers": 50, "seconds": 8, "session": 3, "rate": 40},
)
async def slow_handler(trial: Trial, handlers: int, seconds: float, session: float, rate: float) -> None:
    async with Stage(trial, names=("a", "b"), session=session, options="&request_timeout=2") as stage:
        trial.fault("slow handlers", count=handlers, seconds=seconds)
        slow = {f"order-{n}" for n in stage.next_orders(handlers)}
        await stage.press(rate=rate, cards=[f"slow:{seconds}"] * handlers)
        await stage.pause(seconds)
        stage.healed()
    begun = Counter(n.about for n in stage.notes.all() if n.what == "begins" and n.about[1] in slow)
    trial.wrong(*(f"{about} was begun {n} times" for about, n in begun.items() if n > 1))


@cell(
    "blocked-loop",
    "a handler that never waits keeps a worker's event loop from running, beyond the session; another one takes over",
    tested={"times": 1, "seconds": 6, "session": 3, "rate": 20},
    whole={"times": 3, "seconds": 15, "session": 6, "rate": 40, "promised": 2},
)
async def blocked_loop(
    trial: Trial, times: int, seconds: float, session: float, rate: float, promised: float | None = None
) -> None:
    bound = None if promised is None else session + promised
    async with Stage(trial, names=("a", "b"), session=session, options="&request_timeout=3") as stage:
        for _ in range(times):
            run = f"order-{stage.next_orders(1)[0]}"
            load = await stage.press(rate=rate, cards=[f"block:{seconds:g}"])

            await stage.until(lambda run=run: bool(stage.notes.begun("take_payment", run)), "the block")  # type: ignore[misc]
            at = time.time_ns() // 1_000_000
            hand = next(hand for hand in stage.crew.hands if hand.member == stage.notes.begun("take_payment", run)[0])
            trial.fault("event loop blocked", member=hand.member, seconds=seconds)
            # Its share goes to the other one, the step that blocked too.
            await stage.recovery("blocked", at, ["payments"], stage.partitions_of(hand), bound)
            await stage.until(lambda run=run: len(set(stage.notes.begun("take_payment", run))) > 1, "the step anew")  # type: ignore[misc]
            load.stop()
            await stage.until(lambda: stage.idle, "calm")
        stage.healed()


@cell(
    "poison",
    "a reactor always raises, beside healthy ones",
    tested={"seconds": 3, "rate": 20},
    whole={"seconds": 20, "rate": 40},
)
async def poison(trial: Trial, seconds: float, rate: float) -> None:
    """Runs that the reactor fails in are started for as long as others were, each beside one in which it works."""
    crew = {"environment": {"CHAOS_POISON_SINCE": str(_POISONED)}}
    async with Stage(trial, poison=True, crew=crew) as stage:
        load = await stage.press(rate=rate)
        await stage.pause(seconds)
        load.stop()
        await stage.until(lambda: stage.idle, "the runs without poison")
        stage.next_order = _POISONED
        trial.fault("poison")
        await stage.press(rate=rate)
        await stage.pause(seconds)
        stage.healed()
    took: dict[bool, list[float]] = {False: [], True: []}
    seconds = seconds_of(stage.found)
    for run in stage.found.runs:
        number = int(run.key.removeprefix(b"order-"))
        how = Counter((debt.pair[1], debt.settled) for debt in run.debts)
        fails = number >= _POISONED and number % 2 == 0
        expected = {b"take_picture": "handled", b"do_without": "outcome"} if fails else {b"take_picture": "outcome"}
        if any(how[pair] != 1 for pair in expected.items()) or len(run.debts) != 4 + len(expected):
            trial.wrong(f"{run.key.decode()}: {dict(how)}")
        if number > WARM and not fails:
            took[number >= _POISONED].append(seconds[run.key.decode()])
    for beside, all in took.items():
        name = "start to end of the runs without poison, " + ("beside poison" if beside else "alone")
        trial.notes[name] = {"runs": len(all), "p50": round(middle(all), 3), "p99": round(near_worst(all), 3)}


@cell(
    "oversize",
    "starts and outcomes one byte, and ten times, larger than the log takes, among others that fit exactly",
    tested={"times": 2, "rate": 20},
    whole={"times": 10, "rate": 40},
)
async def oversize(trial: Trial, times: int, rate: float) -> None:
    crew = {"environment": {"CHAOS_PICTURE": "1048000"}}
    async with Stage(trial, poison=True, crew=crew) as stage:
        await stage.press(rate=rate)
        await _oversize_starts(stage, times)
        stage.healed()
    said = Counter(
        stage.found.catalogue.decode(raw.value)["error"]
        for part in stage.found.partitions
        for raw, head, _ in part.records
        if head is not None and head.kind == Kind.FAILURE and head.reactor == b"take_picture"
    )
    trial.notes["failures of outcomes that are too large"] = dict(said)
    if said.keys() - TOO_LARGE or said.total() != len(stage.found.runs):
        trial.wrong(f"outcomes that are too large failed as {dict(said)} in {len(stage.found.runs)} runs")


class Parcel(Start):
    """What is started with a content of any size."""

    content: str


async def _oversize_starts(stage: Stage, times: int) -> None:
    """The log of a choreography of its own takes what fits to the byte, refuses a byte more, and works on."""
    trial = stage.trial
    parcels = Choreography(f"parcels_{time.time_ns()}")
    parcels.know(Parcel)
    async with parcels.connect(stage.url, partitions=1) as client:
        most = client.store.max_record_bytes
        long = Parcel(content="x" * (most - 1000))
        fits = most - (record_bytes(client.scribe.start(b"parcel-100", long)) - len(long.content))
        for n in range(times):
            for size, taken in ((fits + 1, False), (10 * most, False), (fits, True), (1, True)):
                trial.fault("a start that fits" if taken else "oversize start", bytes=size)
                try:
                    await client.start(Parcel(content="x" * size), run_id=f"parcel-{100 + n}")
                except (TooLarge, EncodingError) as e:
                    if taken or "bytes" not in str(e) or "keep large data elsewhere" not in str(e):
                        trial.wrong(f"a content of {size} bytes was refused: {e}")
                else:
                    if not taken:
                        trial.wrong(f"a content of {size} bytes was taken, though {fits} fit")


@cell(
    "blocked-alone",
    "a handler that never waits keeps the only worker's event loop from running, beyond the session",
    tested=None,
    whole={"times": 1, "seconds": 15, "session": 6, "rate": 40},
)
async def blocked_alone(trial: Trial, times: int, seconds: float, session: float, rate: float) -> None:
    async with Stage(trial, session=session, options="&request_timeout=3") as stage:
        for _ in range(times):
            load = await stage.press(rate=rate, cards=[f"block:{seconds:g}"])
            trial.fault("event loop blocked", seconds=seconds)
            await stage.pause(seconds)
            at = time.time_ns() // 1_000_000
            await stage.recovery("blocked", at, ["payments"], range(stage.partitions))
            load.stop()
            await stage.until(lambda: stage.idle, "calm")
        stage.healed()
