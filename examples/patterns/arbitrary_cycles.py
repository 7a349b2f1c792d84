"""Arbitrary cycles: loops with more than one way in and out. Any reactor may emit what any other takes.

Handlers are never replayed and no counter is kept, so a loop may turn as often as it likes: a run of a million events
takes no more memory than one of ten.
"""

from farandole.reactors import Choreography
from farandole.schemas import End, Event, Start

workshop = Choreography("workshop")


class CarBroughtIn(Start):
    faults: list[str]


class WrongDiagnosis(Event):
    left: list[str]


class Diagnosed(Event):
    fault: str
    left: list[str]


class StillBroken(Event):
    fault: str
    left: list[str]


class Repaired(Event):
    left: list[str]


class CarReturned(End): ...


@workshop.reactor
async def diagnose(car: CarBroughtIn) -> Diagnosed:
    return Diagnosed(fault=car.faults[0], left=car.faults[1:])


@workshop.reactor
async def diagnose_again(wrong: WrongDiagnosis) -> Diagnosed:
    return Diagnosed(fault=wrong.left[0], left=wrong.left[1:])


@workshop.reactor
async def repair(found: Diagnosed | StillBroken) -> StillBroken | Repaired:
    if isinstance(found, Diagnosed) and found.fault == "stubborn":
        return StillBroken(fault=found.fault, left=found.left)
    return Repaired(left=found.left)


@workshop.reactor
async def drive(car: Repaired) -> WrongDiagnosis | CarReturned:
    return WrongDiagnosis(left=car.left) if car.left else CarReturned()
