"""What the workers hold: memory and tasks, before and after; and where they worked."""

import asyncio
import json
import signal
import time
from collections import Counter
from itertools import takewhile
from typing import Final

from farandole.eventstore import partition_of

from .crew import Crew, Hand
from .ledger import Notes
from .trial import Trial

GROWTH: Final = 0.10
"""How much more memory a worker may hold after a fault than before, as a part of what it held."""
HEAP: Final = 32 << 20
"""Bytes that an interpreter may keep of a busy time, however little it held before."""
PATIENCE: Final = 20.0
LATELY: Final = 3.0
SLACK: Final = 1000
"""Milliseconds by which notes of several processes may be out of order."""
TASKS: Final = 3
"""Tasks that may come and go: a read or an append more or less under way."""


class Census:
    """Counts what workers hold while nothing is owed."""

    def __init__(self, crew: Crew, trial: Trial, notes: Notes) -> None:
        self._crew = crew
        self._trial = trial
        self._notes = notes
        self._before: dict[int, tuple[Counter[str], int]] = {}

    async def take(self, when: str) -> None:
        """Count; the second time, compare those that lived through it."""
        alive = [hand for hand in self._crew.hands if hand.alive]
        if when == "before":
            self._before = {hand.pid: (await self._tasks(hand), hand.memory()) for hand in alive}
            return
        for hand in alive:
            if hand.pid not in self._before:
                continue
            before, memory_before = self._before[hand.pid]
            if more := await self._leaked(hand, before):
                self._trial.wrong(f"I11: {hand.member} has more tasks than before: {more}")
            grown = hand.memory() - memory_before
            self._trial.notes.setdefault("memory grew by", {})[hand.member] = f"{grown / memory_before:.1%}"
            if grown > max(memory_before * GROWTH, HEAP):
                self._trial.wrong(f"I11: {hand.member} holds {grown:,} bytes more than the {memory_before:,} before")

    async def _leaked(self, hand: Hand, before: Counter[str]) -> str:
        """The tasks that a worker has more than before, and keeps: it may still do what others have done meanwhile."""
        until = time.monotonic() + PATIENCE
        while (tasks := await self._tasks(hand)).total() > before.total() + TASKS:
            if time.monotonic() > until:
                return ", ".join(f"{n} {what}" for what, n in (tasks - before).items())
            await asyncio.sleep(0.1)
        return ""

    async def _tasks(self, hand: Hand) -> Counter[str]:
        """Tasks by what they do."""
        said = self._trial.folder / f"tasks-{hand.member}"
        said.unlink(missing_ok=True)
        hand.signal(signal.SIGUSR1)
        until = time.monotonic() + PATIENCE
        while not said.exists():
            if time.monotonic() > until:
                raise TimeoutError(f"{hand.member} does not say how many tasks it has")
            await asyncio.sleep(0.01)
        return Counter(json.loads(said.read_text()))

    def partitions_of(self, hand: Hand) -> set[int]:
        """The partitions in which a worker has begun a step in the last seconds."""
        since = (time.time() - LATELY) * 1000
        partitions = self._crew.hands[0].partitions
        return {
            partition_of(note.about[1].encode(), partitions)
            for note in takewhile(lambda note: note.at >= since - SLACK, reversed(self._notes.all()))
            if note.pid == hand.pid and note.what == "begins" and note.at >= since
        }
