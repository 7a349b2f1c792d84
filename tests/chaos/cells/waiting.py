"""What waits: timers, news of children, and claimed steps, while workers die and stand still and the broker is killed."""

from collections.abc import Callable
from itertools import cycle, islice

from chaos import awaited
from chaos.cell import cell
from chaos.trial import Trial
from chaos.vigil import FAULTS, Vigil
from chaos.waits import Asleep, EggsLaid, HoleWanted
from checker.ids import partition_of
from checker.record import Kind
from checker.state import Run


async def _harm(stage: Vigil, how: str, times: int, seconds: float, ready: Callable[[], bool]) -> None:
    """Do harm while runs wait, and see them end."""
    await stage.until(ready, "runs that wait")
    for _ in range(times if how == "kill -9" else 1):
        await stage.pause(stage.trial.random.uniform(0.2, 1.2))
        await stage.do_harm(how, seconds)
    await stage.until(lambda: stage.idle, "calm")
    stage.trial.over()


@cell(
    "timers",
    "workers are killed with -9 and stand still (SIGSTOP), and the broker is killed, while timers are pending",
    tested={"rounds": 3, "runs": 100, "kills": 3, "seconds": 5, "session": 3},
    whole={"rounds": 12, "runs": 300, "kills": 6, "seconds": 6, "session": 3},
)
async def timers(trial: Trial, rounds: int, runs: int, kills: int, seconds: float, session: float) -> None:
    """Each fires once, and none early."""
    of_round: dict[str, tuple[int, str]] = {}
    async with Vigil(trial, session=session) as stage:
        for n, how in enumerate(islice(cycle(FAULTS), rounds)):
            naps = [[trial.random.randrange(200, 3000) for _ in range(4)] for _ in range(runs)]
            ids = await stage.begin(*(Asleep(naps=each) for each in naps))
            of_round |= dict.fromkeys(ids, (n, how))
            await _harm(stage, how, kills, seconds, lambda: stage.runs(lambda run: bool(run.timers)) > runs // 2)
        stage.healed()
    trial.wrong(*awaited.wrong_timers(stage))
    fired = awaited.fired(stage)
    trial.figures["timers"] = len(fired)
    latest: dict[tuple[int, str], int] = {}
    for each in fired:
        if (which := of_round.get(each.run)) is not None:
            latest[which] = max(latest.get(which, 0), each.late)
    for (_, how), late in sorted(latest.items()):
        trial.recovered(f"{how}: the latest timer", late / 1000)


@cell(
    "children",
    "workers are killed with -9 and stand still, and the broker is killed, while children report to other partitions",
    tested={"rounds": 3, "runs": 6, "eggs": 40, "kills": 3, "seconds": 5, "session": 3},
    whole={"rounds": 12, "runs": 10, "eggs": 100, "kills": 6, "seconds": 6, "session": 3},
)
async def children(trial: Trial, rounds: int, runs: int, eggs: int, kills: int, seconds: float, session: float) -> None:
    """Each child is one run, and its parent is told of it once."""
    async with Vigil(trial, session=session) as stage:
        for how in islice(cycle(FAULTS), rounds):
            await stage.begin(*[EggsLaid(eggs=eggs)] * runs)
            await _harm(stage, how, kills, seconds, lambda: stage.runs(lambda run: _is_told(run, eggs)) > 0)
        stage.healed()
    trial.wrong(*awaited.wrong_children(stage))
    born = [run for run in stage.found.runs if run.parent is not None]
    places = [(run.key, run.parent.key) for run in born if run.parent is not None]
    trial.figures["children"] = len(born)
    trial.figures["of_them_elsewhere"] = sum(
        partition_of(child, stage.partitions) != partition_of(parent, stage.partitions) for child, parent in places
    )
    trial.figures["news_refused"] = awaited.refused_news(stage)


def _is_told(run: Run, eggs: int) -> bool:
    """Whether it has heard of some of its children, and not of all."""
    return 0 < len(run.children) < eggs


@cell(
    "claims",
    "workers are killed with -9 and stand still (for less and for longer than a claim), and the broker is killed, while "
    "long steps are claimed",
    tested={"rounds": 3, "runs": 24, "kills": 1, "short": 3, "long": 9, "lease": 6, "session": 3},
    whole={"rounds": 12, "runs": 48, "kills": 2, "short": 3, "long": 9, "lease": 6, "session": 3},
)
async def claims(
    trial: Trial, rounds: int, runs: int, kills: int, short: float, long: float, lease: float, session: float
) -> None:
    """No step is begun anew while its owner lives, and each whose owner dies is, once its claim has lapsed."""
    crew = {"environment": {"CHAOS_LEASE": f"{lease * 1000:.0f}"}}
    async with Vigil(trial, session=session, crew=crew) as stage:
        for n, how in enumerate(islice(cycle(FAULTS), rounds)):
            # While one of three is only coming back, no two thirds of the steps are claimed at once.
            await stage.all_at_work()
            await stage.begin(*[HoleWanted(seconds=trial.random.uniform(6, 9)) for _ in range(runs)])
            seconds = (long, short)[n // len(FAULTS) % 2]
            await _harm(stage, how, kills, seconds, lambda: stage.runs(_is_claimed) > runs * 2 // 3)
        stage.healed()
    trial.wrong(*awaited.wrong_claims(stage))
    again = awaited.begun_anew(stage)
    taken_over = awaited.taken_over(again, stage.crew.deaths)
    trial.figures["begun_anew"] = len(again)
    trial.figures["said_lost"] = sum(
        head is not None and head.kind == Kind.LOST for part in stage.found.partitions for _, head, _ in part.records
    )
    for seconds in taken_over:
        trial.recovered(f"killed, begun anew, claims of {lease:g} s", seconds)
    if not taken_over:
        trial.wrong("no step of a killed worker was begun anew: nothing was tried")


def _is_claimed(run: Run) -> bool:
    return any(debt.claim is not None for debt in run.owed.values())
