"""A stage on which runs wait, and what can be done to its workers and its broker meanwhile."""

import asyncio
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from math import inf
from typing import Any, ClassVar, Final

from checker.state import Run
from farandole.reactors.client import Client
from farandole.schemas import Start

from .crew import Hand
from .effects import policies_of
from .judge import judge_log
from .stage import PATIENCE, Stage
from .trial import Trial
from .waits import Asleep, EggsLaid, HoleWanted, waits

FAULTS: Final = ("kill -9", "SIGSTOP", "kill the broker")


@dataclass(frozen=True, slots=True)
class Harm:
    """What was done, and how long it lasted.

    Attributes:
        pid: the process to which it was done; 0: to the broker, and so to all.
        begun, over: milliseconds since 1970 UTC. Whoever stood still, or had no broker, learns within a session that others
        may have its share; for what was killed it is never over.
    """

    pid: int
    begun: float
    over: float


class Vigil(Stage):
    """Three workers of one service, `chaos.waits`, and runs that are started one by one.

    Attributes:
        started: by its id, what each run was started with.
        harms: all that was done.
    """

    choreography: ClassVar[str] = waits.name
    services: ClassVar[Sequence[str]] = ("waits",)
    reactors: ClassVar[int] = len(waits.reactors)
    policies: ClassVar[Mapping[str, int]] = policies_of([waits])

    def __init__(self, trial: Trial, *, session: float, **options: Any) -> None:
        # Whoever comes and goes, each has as many partitions as before when all are there: what they hold can be compared.
        super().__init__(trial, names=("a", "b", "c"), partitions=6, session=session, **options)
        self._session = session * 1000
        self.started: dict[str, Start] = {}
        self.harms: list[Harm] = []
        self._numbers = count(1)

    async def _warm_up(self) -> None:
        self._client = await self._stack.enter_async_context(waits.connect(self.url, partitions=self.partitions))
        await self.begin(*[Asleep(naps=[1])] * 200, *[HoleWanted(seconds=0)] * 100, *[EggsLaid(eggs=10)] * 10)

    async def _work_on(self) -> None:
        await self.begin(*[HoleWanted(seconds=0)] * 100)
        await self.until(lambda: self.idle, "a little more work")

    async def begin(self, *starts: Start) -> list[str]:
        """Start runs; their ids."""
        ids = [f"wait-{next(self._numbers)}" for _ in starts]
        self.started |= dict(zip(ids, starts, strict=True))
        await asyncio.gather(*(self._client.start(start, run_id=id) for id, start in zip(ids, starts, strict=True)))
        return ids

    @property
    def client(self) -> Client:
        """Of the runs."""
        return self._client

    @property
    def idle(self) -> bool:
        """Whether every run that was started is closed, and every child with it."""
        if any(part.fold.runs for part in self.found.partitions):
            return False
        return sum(run.parent is None for run in self.found.runs) >= len(self.started)

    def runs(self, condition: Callable[[Run], bool]) -> int:
        """How many open runs there are of which this is so."""
        return sum(condition(run) for part in self.found.partitions for run in part.fold.runs.values())

    async def all_at_work(self) -> None:
        """Wait until each worker has its share: until each has begun one of the short steps that are started here."""
        since = time.monotonic()
        while not all(self.partitions_of(hand) for hand in self.crew.hands):
            if time.monotonic() - since > PATIENCE:
                raise TimeoutError(f"not every worker came back within {PATIENCE:g} s")
            await self.begin(*[HoleWanted(seconds=0)] * 2 * self.partitions)
            await self.until(lambda: self.idle, "short steps")

    async def do_harm(self, how: str, seconds: float) -> None:
        """Do one thing of `FAULTS`; returns when it is over."""
        if how == "kill the broker":
            await self._kill_the_broker()
            return
        hand = self.trial.random.choice(self.crew.hands)
        if how == "kill -9":
            self.kill(hand)
        else:
            await self._hold(hand, seconds)

    def kill(self, hand: Hand) -> None:
        """End a worker with SIGKILL, and start it again."""
        self.trial.fault("kill -9", member=hand.member)
        self.harms.append(Harm(hand.pid, _now(), inf))
        self.crew.kill(hand)
        hand.start()

    async def _hold(self, hand: Hand, seconds: float) -> None:
        """Let a worker stand still for so long."""
        self.trial.fault("SIGSTOP", member=hand.member, seconds=seconds)
        begun = _now()
        hand.signal(signal.SIGSTOP)
        try:
            await self.pause(seconds)
        finally:
            hand.signal(signal.SIGCONT)
        self.trial.did("SIGCONT", member=hand.member)
        self.harms.append(Harm(hand.pid, begun, _now() + self._session))

    async def _kill_the_broker(self) -> None:
        self.trial.fault("kill the broker")
        begun = _now()
        await asyncio.to_thread(self.trial.broker.kill)
        await asyncio.to_thread(self.trial.broker.start)
        self.trial.did("the broker is up")
        self.harms.append(Harm(0, begun, _now() + self._session))

    async def _judge(self) -> None:
        await judge_log(self, self._bootstrap)
        ours = {run.key.decode() for run in self.found.runs if run.parent is None}
        self.trial.wrong(*(f"I2: {id} was started and is no run" for id in sorted(self.started.keys() - ours)))
        self.trial.wrong(*(f"I3: nobody started {id}" for id in sorted(ours - self.started.keys())))


def _now() -> float:
    return time.time() * 1000
