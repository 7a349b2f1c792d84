"""Workers that are killed with -9: at each failpoint, at any time, with and without a process that comes back."""

from chaos.cell import cell
from chaos.crew import Death, Hand
from chaos.failpoints import POINTS
from chaos.stage import Stage
from chaos.trial import Trial
from flow.workers import SERVICES


@cell(
    "kill-at-failpoints",
    "each worker dies by SIGKILL at each of six points of a step's way, at a time by seed, and comes back by its name",
    tested={"rounds": 1, "rate": 20},
    whole={"rounds": 4, "rate": 40},
)
async def kill_at_failpoints(trial: Trial, rounds: int, rate: float) -> None:
    async with Stage(trial, only_crashes=True) as stage:
        await stage.press(rate=rate)
        hands = trial.random.sample(stage.crew.hands, len(stage.crew.hands))
        for n, point in enumerate(POINTS * rounds):
            hand = hands[(n + n // len(POINTS)) % len(hands)]
            nth = trial.random.randrange(5, 60)
            # It has to die once more to get its failpoint; that is a death like any other.
            await die_and_return(stage, hand, point, nth)
            await stage.until(lambda hand=hand: hand.ended is not None, f"{hand.member} reaching {point}")  # type: ignore[misc]
            death = _died_there(stage, hand)
            trial.fault("dies", member=hand.member, point=point, nth=nth)
            hand.start()
            await stage.recovery(f"{point}", death.at, [hand.service], range(stage.partitions))
        stage.healed()


def _died_there(stage: Stage, hand: Hand) -> Death:
    (note,) = [n for n in stage.notes.all() if n.pid == hand.pid and n.what == "dies"]
    hand.kill()
    death = Death(hand.service, hand.member, note.pid, note.at)
    stage.crew.deaths.append(death)
    return death


async def die_and_return(
    stage: Stage, hand: Hand, point: str = "", nth: int = 0, promised: float | None = None
) -> None:
    """Kill a worker and start it again at once."""
    death = stage.crew.kill(hand)
    stage.trial.fault("kill -9", member=hand.member)
    hand.start(point, nth)
    if not point:
        await stage.recovery("killed and restarted", death.at, [hand.service], range(stage.partitions), promised)


@cell(
    "kill-and-restart",
    "workers are killed with -9 at any time and started again under the same instance id",
    tested={"kills": 3, "rate": 20},
    whole={"kills": 24, "rate": 30, "promised": 2},
)
async def kill_and_restart(trial: Trial, kills: int, rate: float, promised: float | None = None) -> None:
    async with Stage(trial, only_crashes=True, session=10) as stage:
        await stage.press(rate=rate)
        for n in range(kills):
            await stage.pause(trial.random.uniform(0.2, 1.2))
            await die_and_return(stage, stage.crew.hands[n % len(stage.crew.hands)], promised=promised)
        stage.healed()


@cell(
    "kill-and-take-over",
    "one of two workers of each service is killed with -9 and stays away; the other one takes its share over",
    tested={"kills": 1, "rate": 20, "session": 3},
    whole={"kills": 21, "rate": 40, "session": 3, "promised": 2},
)
async def kill_and_take_over(
    trial: Trial, kills: int, rate: float, session: float, promised: float | None = None
) -> None:
    bound = None if promised is None else session + promised
    async with Stage(trial, names=("a", "b"), only_crashes=True, session=session) as stage:
        await stage.press(rate=rate)
        for n in range(kills):
            service = SERVICES[n % len(SERVICES)]
            hand = stage.crew.of(service)[trial.random.randrange(2)]
            await stage.until(lambda hand=hand: len(stage.partitions_of(hand)) >= 2, "a share for each")  # type: ignore[misc]
            await stage.pause(trial.random.uniform(0, 1))
            share = stage.partitions_of(hand)
            death = stage.crew.kill(hand)
            trial.fault("kill -9", member=hand.member, partitions=sorted(share))
            await stage.recovery(f"killed, session {session:g} s", death.at, [service], share, bound)
            hand.start()
        stage.healed()
