"""The research team of the examples in three services, whose workers die at each step and come back; and a person."""

import asyncio
import time
from collections import Counter
from contextlib import AsyncExitStack
from typing import Final, Self

from examples.research import finding, planning, publishing
from examples.research.events import Published, TopicGiven

from checker import Examination, Raw, Topics
from farandole.reactors import Choreography
from flow.fresh_topics import forget_topics
from flow.watch import contracts, topics_of

from .crew import Crew, Death, Hand
from .ledger import Note, Notes
from .team_steps import KILLED, STEPS, run_id
from .trial import Trial

PROGRAMS: Final = {"planning": planning.team, "finding": finding.library, "publishing": publishing.team}
ANSWERS: Final = publishing.publisher.events
EDITOR: Final = "ann"
EVERY_STEP: Final = Counter(reactor for reactors in STEPS.values() for reactor in reactors)
PATIENCE: Final = 170.0


class Team:
    """The team at work. An async context manager; leaving it kills what is left.

    Attributes:
        found: the log of each choreography, once `conclude` has read it.
        deaths: what the workers noted when they died.
    """

    def __init__(self, trial: Trial, partitions: int = 4) -> None:
        self.trial = trial
        self.partitions = partitions
        self._bootstrap = trial.broker.bootstrap
        self.url = f"kafka://{self._bootstrap}"
        self.crew = Crew(self.url, trial.folder, services=STEPS, partitions=partitions, module="chaos.team_worker")
        self.notes = Notes(trial.folder / "executions")
        self.calls = Notes(trial.folder / "calls")
        self.found: dict[str, Examination] = {}
        self._topics: dict[str, Topics] = {}
        self._first: dict[str, list[Raw]] = {}
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
                self._topics[name], self._first[name] = topics, first
        self._client = await self._stack.enter_async_context(
            publishing.team.connect(self.url, partitions=self.partitions)
        )

    async def __aexit__(self, *exc: object) -> None:
        await self._stack.aclose()

    @property
    def deaths(self) -> list[Note]:
        return [note for note in self.notes.all() if note.what == "dies"]

    async def play(self, round: int) -> None:
        """Two runs from their topics to their texts, while each worker is killed at each step and comes back."""
        playing = asyncio.ensure_future(self._round(round))
        left, began = EVERY_STEP + Counter(note.about[0] for note in self.deaths), time.monotonic()
        try:
            while not playing.done() or Counter(note.about[0] for note in self.deaths) < left:
                if time.monotonic() - began > PATIENCE:
                    left.subtract(note.about[0] for note in self.deaths)
                    raise TimeoutError(f"round {round}: after {PATIENCE:g} s nobody died at {dict(+left)}")
                if playing.done():
                    playing.result()
                self._bury()
                await asyncio.sleep(0.02)
            await playing
        finally:
            playing.cancel()
            await asyncio.wait([playing])
        self._bury()

    async def _round(self, round: int) -> None:
        first, second = (run_id(round, killed) for killed in KILLED)
        async with asyncio.TaskGroup() as together:
            together.create_task(self._as_a_person(first))
            while not self.notes.begun("writer", first) and not self._died_at("writer", first):
                await asyncio.sleep(0.02)
            together.create_task(self._as_a_person(second))

    def _died_at(self, reactor: str, run: str) -> bool:
        return any(note.about[:2] == (reactor, run) for note in self.deaths)

    async def _as_a_person(self, id: str) -> None:
        """Give a topic, look into the inbox until the text is there, allow its publication, and wait for it."""
        run = await self._client.start(TopicGiven(topic="stone fruit"), run_id=id)
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
                # Only now, for the catalogue grows: by what people answer, and by what children are started with.
                self.found[name] = found = Examination(topics.partitions, await topics.table())
                found.take([*self._first[name], *await topics.catch_up()])
                while any(part.fold.runs for part in found.partitions):
                    self.crew.check()
                    found.take(await topics.read())
