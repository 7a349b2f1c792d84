"""Synchronizing merge: of several ways some were taken, and what follows waits for those that were, and no others.

Who chooses the ways returns one branch for each, as a list; a `list[...]` further on waits for all of its branches,
however many there are. A branch that ends without a result is not waited for.
"""

from farandole.reactors import Choreography
from farandole.schemas import End, Event, Start

alarms = Choreography("alarms")


class AlarmRaised(Start):
    fire: bool = False
    hurt: int = 0


class EnginesNeeded(Event): ...


class AmbulancesNeeded(Event):
    count: int


class EnginesBack(Event): ...


class AmbulancesBack(Event):
    carried: int


class AlarmClosed(End):
    carried: int
    engines: bool


@alarms.reactor
async def dispatch(alarm: AlarmRaised) -> list[EnginesNeeded | AmbulancesNeeded]:
    needed: list[EnginesNeeded | AmbulancesNeeded] = []
    if alarm.fire:
        needed.append(EnginesNeeded())
    if alarm.hurt:
        needed.append(AmbulancesNeeded(count=alarm.hurt))
    return needed


@alarms.reactor
async def send_engines(needed: EnginesNeeded) -> EnginesBack:
    return EnginesBack()


@alarms.reactor
async def send_ambulances(needed: AmbulancesNeeded) -> AmbulancesBack:
    return AmbulancesBack(carried=needed.count)


@alarms.reactor
async def close(back: list[EnginesBack | AmbulancesBack]) -> AlarmClosed:
    carried = sum(each.carried for each in back if isinstance(each, AmbulancesBack))
    return AlarmClosed(carried=carried, engines=any(isinstance(each, EnginesBack) for each in back))
