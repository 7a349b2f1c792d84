"""What the workers hold: memory and tasks, before and after; and where they worked."""

import asyncio
import json
import signal
import time
from collections import Counter
from collections.abc import Mapping
from itertools import takewhile
from typing import Final, NamedTuple

from farandole.eventstore import partition_of
from farandole.reactors.leases import RENEW
from farandole.reactors.restoring import KEEP

from .bounds import Bound, verdict
from .crew import Crew, Hand
from .ledger import Notes
from .starvation import Starvation
from .trial import Trial

GROWTH: Final = 0.05
"""How many more blocks of memory a worker may hold after a fault than before, as a part of what it held. Runs that are
over leave none: what is kept of them is packed."""
HEAP: Final = 16 << 20
"""Bytes that an interpreter may keep of a busy time, in pieces that it can use again."""
PATIENCE: Final = 10.0
"""Seconds in which a worker answers, and in which what it still does of no use to anybody is over."""
MINUTE: Final = KEEP + RENEW + PATIENCE
"""Seconds in which a worker lets go of what it still remembers: the state of a partition that went elsewhere, with the
runs that were open then, and what it claimed."""
LATELY: Final = 3.0
SLACK: Final = 1000
"""Milliseconds by which notes of several processes may be out of order."""
FILES: Final = 6
"""File descriptors that may come and go: a client connects to a broker anew before it lets go of an old connection."""
TASKS: Final = 3
"""Tasks that may come and go: a read or an append more or less under way."""
_BUSY: Final = "tasks and files"
_FULL: Final = "memory"


class Held(NamedTuple):
    """What a worker holds."""

    tasks: Counter[str]
    """By what they do."""
    blocks: int
    """Pieces of memory that objects are in, garbage collected before."""
    memory: int
    """Bytes of the process."""
    files: int
    """File descriptors: sockets, mostly."""

    def busier(self, before: "Held") -> bool:
        """Whether it has more tasks, or more open files, than come and go."""
        return self.tasks.total() > before.tasks.total() + TASKS or self.files > before.files + FILES


class Census:
    """Counts what workers hold while nothing is owed."""

    def __init__(self, crew: Crew, trial: Trial, notes: Notes) -> None:
        self._crew = crew
        self._trial = trial
        self._notes = notes
        self._before: dict[int, Held] = {}

    async def begin(self) -> list[str]:
        """Count those that were not counted yet, and say who they are: all at first, later those that came back."""
        new = self.came_back()
        self._before |= {hand.pid: await self._held(hand) for hand in new}
        return [hand.member for hand in new]

    def came_back(self) -> list[Hand]:
        """Those at work that were not counted yet."""
        return [hand for hand in self._crew.hands if hand.alive and hand.pid not in self._before]

    async def end(self) -> None:
        """Compare what those that were counted hold now."""
        for hand in self._crew.hands:
            if hand.alive and hand.pid in self._before:
                before = self._before[hand.pid]
                self._compare(hand, before, await self._settled(hand, before))

    def _compare(self, hand: Hand, before: Held, after: Held) -> None:
        trial = self._trial
        if after.tasks.total() > before.tasks.total() + TASKS:
            more = ", ".join(f"{n} {what}" for what, n in (after.tasks - before.tasks).items())
            trial.wrong(f"I11: {hand.member} has more tasks than before: {more}")
        if after.files > before.files + FILES:
            trial.wrong(f"I11: {hand.member} has {after.files} files open, {before.files} before")
        blocks, memory = after.blocks / before.blocks - 1, after.memory - before.memory
        grown: Mapping[str, str] = {
            "blocks": f"{blocks:.1%}",
            "MiB": f"{memory / 2**20:.1f}",
            "files": str(after.files - before.files),
        }
        trial.notes.setdefault("memory grew by", {})[hand.member] = grown
        if blocks > GROWTH:
            trial.wrong(f"I11: {hand.member} holds {after.blocks:,} blocks of memory, {before.blocks:,} before")
        if memory > HEAP:
            trial.wrong(f"I11: {hand.member} has {memory:,} bytes more than the {before.memory:,} before")

    async def _settled(self, hand: Hand, before: Held) -> Held:
        """What it holds in the end: it may still do what others have done meanwhile, and remember what it had."""
        since, starvation = time.monotonic(), Starvation()
        settled: dict[str, tuple[float, float]] = {}
        while True:
            held = await self._held(hand)
            took, starved = time.monotonic() - since, starvation.seconds
            busy, full = held.busier(before), held.blocks > before.blocks * (1 + GROWTH)
            for what, still in ((_BUSY, busy), (_FULL, full)):
                if still:
                    settled.pop(what, None)
                else:
                    settled.setdefault(what, (took, starved))
            left = took - starved
            if not (busy and left < PATIENCE) and not (full and left < MINUTE):
                break
            await asyncio.sleep(0.1 if busy else 1)
        for what, promised in ((_BUSY, PATIENCE), (_FULL, MINUTE)):
            if what in settled:
                self._trial.within(f"I11: {what} settled", *settled[what], promised)
                name = f"seconds until {what} had settled"
                self._trial.notes[name] = max(round(settled[what][0], 1), self._trial.notes.get(name, 0.0))
        return held

    async def _held(self, hand: Hand) -> Held:
        said = self._trial.folder / f"held-{hand.member}"
        said.unlink(missing_ok=True)
        since, starvation = time.monotonic(), Starvation()
        # One that has only just been started would die of the signal.
        hears, asked = self._trial.folder / f"hears-{hand.pid}", False
        while not said.exists():
            if not asked and hears.exists():
                hand.signal(signal.SIGUSR1)
                asked = True
            if verdict(time.monotonic() - since, starvation.seconds, PATIENCE) is Bound.BROKEN:
                raise TimeoutError(f"{hand.member} does not say what it holds")
            await asyncio.sleep(0.01)
        self._trial.within("I11: a worker says what it holds", time.monotonic() - since, starvation.seconds, PATIENCE)
        found = json.loads(said.read_text())
        return Held(Counter(found["tasks"]), found["blocks"], hand.memory(), hand.files())

    def partitions_of(self, hand: Hand) -> set[int]:
        """The partitions in which a worker, and since then no other one of its service, has begun a step in the last
        seconds.
        """
        since = (time.time() - LATELY) * 1000
        partitions = self._crew.hands[0].partitions
        members = {each.member for each in self._crew.of(hand.service)}
        lately = [
            note
            for note in takewhile(lambda note: note.at >= since - SLACK, reversed(self._notes.all()))
            if note.what == "begins" and note.at >= since and note.member in members
        ]
        last = {
            partition_of(note.about[1].encode(), partitions): note.pid for note in sorted(lately, key=lambda n: n.at)
        }
        return {partition for partition, pid in last.items() if pid == hand.pid}
