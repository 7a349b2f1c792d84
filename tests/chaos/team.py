"""The research team of the examples in three services, whose workers die at each step and come back; and a person."""

import asyncio
import time
from collections import Counter
from contextlib import AsyncExitStack
from typing import Final, Self

from examples.research import finding, planning, publishing
from examples.research.events import Published, TopicGiven

from checker import Examination, Topics
from farandole.reactors import Choreography, RunHandle
from flow.fresh_topics import forget_topics
from flow.watch import contracts, topics_of

from .crew import Crew, Death, Hand
from .ledger import Note, Notes
from .team_steps import STEPS, expected
from .trial import Trial

PROGRAMS: Final = {"planning": planning.team, "finding": finding.library, "publishing": publishing.team}
ANSWERS: Final = publishing.publisher.events
EDITOR: Final = "ann"
PATIENCE: Final = 170.0


class Team:
    """The team at work. An async context manager; leaving it kills what is left.

    Attributes:
        found: the log of each choreography, once `conclude` has read it.
        deaths: what the workers noted when they died.

    Args:
        researchers: of how many of the three each step is killed.
    """

    def __init__(self, trial: Trial, researchers: int, partitions: int = 4) -> None:
        self.trial = trial
        self.partitions = partitions
        self._bootstrap = trial.broker.bootstrap
        self.url = f"kafka://{self._bootstrap}"
        self.crew = Crew(
            self.url, trial.folder, services=STEPS, partitions=partitions, module="chaos.team_worker",
            environment={"CHAOS_RESEARCHERS": str(researchers)},
        )  # fmt: skip
        self.notes = Notes(trial.folder / "executions")
        self.calls = Notes(trial.folder / "calls")
        self.found: dict[str, Examination] = {}
        self._expected = Counter(expected(researchers))
        self._topics: dict[str, Topics] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        try:
            await self._open()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def _open(self) -> None:
        by_name: dict[str, list[Choreography]] = {}
        for each in PROGRAMS.values():
            by_name.setdefault(each.name, []).append(each)
        for name in by_name:
            await forget_topics(self._bootstrap, name)
        self._stack.enter_context(self.crew)
        self.crew.start()
        async with asyncio.timeout(PATIENCE):
            for name, parts in by_name.items():
                topics = await self._stack.enter_async_context(await topics_of(self._bootstrap, self.crew, name))
                first = await contracts(topics, self.crew, sum(len(part.reactors) for part in parts))
                self.found[name] = Examination(topics.partitions, await topics.table())
                self.found[name].take(first)
                self._topics[name] = topics
        self._client = await self._stack.enter_async_context(
            publishing.team.connect(self.url, partitions=self.partitions)
        )

    async def __aexit__(self, *exc: object) -> None:
        await self._stack.aclose()

    @property
    def deaths(self) -> list[Note]:
        return [note for note in self.notes.all() if note.what == "dies"]

    async def play(self, round: int) -> None:
        """A run from its topic to its text, while each worker is killed at each step and comes back."""
        so_far = Counter(note.about[0] for note in self.deaths)
        run = await self._client.start(TopicGiven(topic="stone fruit"), run_id=f"topic-{round}")
        playing = asyncio.ensure_future(self._as_a_person(run))
        began = time.monotonic()
        try:
            while not playing.done() or self._dead(so_far) < self._expected:
                if time.monotonic() - began > PATIENCE:
                    left = self._expected - self._dead(so_far)
                    raise TimeoutError(f"round {round}: after {PATIENCE:g} s nobody died at {dict(left)}")
                if playing.done():
                    playing.result()
                self._bury()
                await asyncio.sleep(0.02)
            await playing
        finally:
            playing.cancel()
            await asyncio.wait([playing])
        self._bury()

    def _dead(self, so_far: Counter[str]) -> Counter[str]:
        return Counter(note.about[0] for note in self.deaths) - so_far

    async def _as_a_person(self, run: RunHandle) -> None:
        """Look into the inbox until the text is there, allow its publication, and wait for it."""
        while not (questions := await run.decisions()):
            await asyncio.sleep(0.1)
        (question,) = questions
        await run.decide(question, ANSWERS.ToolApproved(), by=EDITOR)
        await run.result(Published, timeout=f"{PATIENCE:g}s")

    def _bury(self) -> None:
        """Start again, at once, whoever has died; each by its name."""
        for hand in self.crew.hands:
            if hand.ended is not None:
                self._return(hand)

    def _return(self, hand: Hand) -> None:
        died = [note for note in self.deaths if note.pid == hand.pid]
        if not died:
            raise RuntimeError(
                f"{hand.member} ended with {hand.ended}:\n{hand.log.read_text(errors='replace')[-4000:]}"
            )
        *_, point = died[0].about
        self.crew.deaths.append(Death(hand.service, hand.member, hand.pid, died[0].at))
        self.trial.fault("dies", member=hand.member, point=point, steps=[note.about[0] for note in died])
        hand.kill()
        hand.start()

    async def conclude(self) -> None:
        """Read both logs until nothing is open in them."""
        async with asyncio.timeout(PATIENCE):
            for name, topics in self._topics.items():
                found = self.found[name]
                found.take(await topics.catch_up())
                while any(part.fold.runs for part in found.partitions):
                    self.crew.check()
                    found.take(await topics.read())
