"""A choreography whose runs wait: for timers, for children in other partitions, for steps that take long."""

import asyncio
import os

from farandole.reactors import After, Child, ChildDone, Choreography, Run, leases
from farandole.schemas import End, Event, Start

waits = Choreography("waits")

if lease := int(os.environ.get("CHAOS_LEASE", "0")):
    # As in earnest, but shorter by as much as the lease is.
    for name in ("CLAIM_AFTER", "RENEW", "_LOOK", "MARGIN"):
        shorter = getattr(leases, name) * lease / leases.LEASE
        setattr(leases, name, int(shorter) if name == "MARGIN" else shorter)
    leases.LEASE = lease  # type: ignore[misc]


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
