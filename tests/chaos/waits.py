"""A choreography whose runs wait: for timers, for children in other partitions, for steps that take long, and for one that
never ends: while there is the file that CHAOS_BLOCKS names, it keeps the event loop of whoever has it from running.
"""

import asyncio
import os
import threading
from pathlib import Path

from farandole.reactors import After, Child, ChildDone, Choreography, Run
from farandole.schemas import End, Event, Start

waits = Choreography("waits")


class Asleep(Start):
    naps: list[int]
    """Milliseconds of each."""


class Woken(Event):
    nap: int


class Overslept(Event):
    """Comes a second after the first nap should be over, unless it is."""


class Slept(End):
    naps: int


@waits.reactor
async def nap(before: Asleep | Woken, run: Run[Asleep]) -> After[Woken] | Slept:
    done = before.nap + 1 if isinstance(before, Woken) else 0
    if done == len(run.start.naps):
        return Slept(naps=done)
    return After(f"{run.start.naps[done]}ms", Woken(nap=done))


@waits.reactor(unless=Woken)
async def set_alarm(asleep: Asleep) -> After[Overslept]:
    return After(f"{asleep.naps[0] + 1000}ms", Overslept())


class EggsLaid(Start):
    eggs: int


class Warmed(Start):
    egg: int


class Hatched(End):
    egg: int


class Fledged(End):
    eggs: list[int]


@waits.reactor
async def sit(laid: EggsLaid) -> list[Child[Warmed]]:
    return [Child(Warmed(egg=n)) for n in range(laid.eggs)]


@waits.reactor(concurrency=4)
async def hatch(warmed: Warmed) -> Hatched:
    await asyncio.sleep(0.05)
    return Hatched(egg=warmed.egg)


@waits.reactor
async def fledge(hatched: list[ChildDone[Hatched]]) -> Fledged:
    return Fledged(eggs=[each.end.egg for each in hatched])


class HoleWanted(Start):
    seconds: float


class Dug(End): ...


@waits.reactor
async def dig(wanted: HoleWanted) -> Dug:
    await asyncio.sleep(wanted.seconds)
    return Dug()


class LoopWanted(Start): ...


class Spun(End): ...


@waits.reactor
async def spin(wanted: LoopWanted) -> Spun:
    if Path(os.environ.get("CHAOS_BLOCKS", "nowhere")).exists():
        threading.Event().wait()
    return Spun()
