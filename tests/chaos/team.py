"""The research team of the examples in three services, whose workers die at each step and come back, or are replaced; and
a person.
"""

import asyncio
import time
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Final, Self

from examples.research import finding, planning, publishing
from examples.research.events import Published, TopicGiven

from checker import Examination, Raw, Topics
from farandole.reactors import Choreography
from flow.fresh_topics import forget_topics
from flow.watch import contracts, topics_of

from .crew import Crew, Death, Hand
from .ledger import Note, Notes
from .team_steps import ALL_RESEARCHERS, KILLED, OTHERS_TAKE_OVER, STEPS, every_step, run_id
from .trial import Trial

PROGRAMS: Final = {"planning": planning.team, "finding": finding.library, "publishing": publishing.team}
ANSWERS: Final = publishing.publisher.events
EDITOR: Final = "ann"
PATIENCE: Final = 170.0
LONG_PATIENCE: Final = 900.0
"""Seconds for a round in which claims of those who died again, or sessions of those who stay away, are waited for."""
SESSION: Final = 3.0
"""Seconds after which the share of one who stays away goes to another."""


class Team:
    """The team at work. An async context manager; leaving it kills what is left.

    Attributes:
        found: the log of each choreography, once `conclude` has read it.
        deaths: what the workers noted when they died.
        replaced: the processes that were not started again, another one in their place.
    """

    def __init__(self, trial: Trial, partitions: int = 4) -> None:
        self.trial = trial
        self.partitions = partitions
        self._bootstrap = trial.broker.bootstrap
        self.url = f"kafka://{self._bootstrap}?session={SESSION:g}"
        self.crew = Crew(self.url, trial.folder, services=STEPS, partitions=partitions, module="chaos.team_worker")
        self.notes = Notes(trial.folder / "executions")
        self.calls = Notes(trial.folder / "calls")
        self.replaced: set[int] = set()
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
        """Two runs from their topics to their texts, while each worker is killed at each step, and comes back or is replaced."""
        patience = LONG_PATIENCE if round in (ALL_RESEARCHERS, OTHERS_TAKE_OVER) else PATIENCE
        playing = asyncio.ensure_future(self._round(round, patience))
        left, began = every_step(round) + Counter(note.about[0] for note in self.deaths), time.monotonic()
        try:
            while not playing.done() or Counter(note.about[0] for note in self.deaths) < left:
                if time.monotonic() - began > patience:
                    left.subtract(note.about[0] for note in self.deaths)
                    raise TimeoutError(f"round {round}: after {patience:g} s nobody died at {dict(+left)}")
                if playing.done():
                    playing.result()
                self._bury(round)
                await asyncio.sleep(0.02)
            await playing
        finally:
            playing.cancel()
            await asyncio.wait([playing])
        self._bury(round)

    async def _round(self, round: int, patience: float) -> None:
        first, second = (run_id(round, killed) for killed in KILLED)
        async with asyncio.TaskGroup() as together:
            together.create_task(self._as_a_person(first, patience))
            while not self.notes.begun("writer", first) and not self._died_at("writer", first):
                await asyncio.sleep(0.02)
            together.create_task(self._as_a_person(second, patience))

    def _died_at(self, reactor: str, run: str) -> bool:
        return any(note.about[:2] == (reactor, run) for note in self.deaths)

    async def _as_a_person(self, id: str, patience: float) -> None:
        """Give a topic, look into the inbox until the text is there, allow its publication, and wait for it."""
        run = await self._client.start(TopicGiven(topic="stone fruit"), run_id=id)
        while not (questions := await run.decisions()):
            await asyncio.sleep(0.1)
        (question,) = questions
        await run.decide(question, ANSWERS.ToolApproved(), by=EDITOR)
        await run.result(Published, timeout=f"{patience:g}s")

    def _bury(self, round: int) -> None:
        """For each who has died start somebody at once: the same by its name, or another one without."""
        for hand in [*self.crew.hands]:
            if hand.ended is not None:
                self._mourn(hand)
                if round == OTHERS_TAKE_OVER:
                    self._replace(hand)
                else:
                    hand.start()

    def _mourn(self, hand: Hand) -> None:
        died = [note for note in self.deaths if note.pid == hand.pid]
        if not died:
            raise RuntimeError(
                f"{hand.member} ended with {hand.ended}:\n{hand.log.read_text(errors='replace')[-4000:]}"
            )
        *_, point = died[0].about
        self.crew.deaths.append(Death(hand.service, hand.member, hand.pid, died[0].at))
        self.trial.fault("dies", member=hand.member, point=point, steps=[note.about[0] for note in died])
        hand.kill()

    def _replace(self, hand: Hand) -> None:
        self.replaced.add(self.crew.deaths[-1].pid)
        other = replace(hand, name=f"{hand.name.rstrip('0123456789')}{len(self.replaced)}", static=False, lives=0)
        self.crew.gone.append(hand)
        self.crew.hands[self.crew.hands.index(hand)] = other
        other.start()

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
