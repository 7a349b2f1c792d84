"""Interleaved parallel routing: several steps in any order, but never two at once.

`ordered=True` lets a run have one step of a reactor at a time. So the steps are one reactor that takes each of their
events; two different reactors can not exclude one another.
"""

import asyncio

from farandole.reactors import Choreography, Run
from farandole.schemas import End, Event, Start

clinic = Choreography("clinic")


class PatientArrived(Start): ...


class BloodNeeded(Event): ...


class XRayNeeded(Event): ...


class Examined(Event):
    how: str


class PatientDischarged(End):
    examined: list[str]


@clinic.reactor
async def order_examinations(patient: PatientArrived) -> tuple[BloodNeeded, XRayNeeded]:
    return BloodNeeded(), XRayNeeded()


@clinic.reactor(ordered=True)
async def examine(needed: BloodNeeded | XRayNeeded) -> Examined:
    await asyncio.sleep(60)  # the patient can only be in one place
    return Examined(how="blood" if isinstance(needed, BloodNeeded) else "x-ray")


@clinic.reactor
async def discharge(examined: Examined, run: Run[PatientArrived]) -> PatientDischarged | None:
    done = await run.events(Examined)
    return PatientDischarged(examined=[each.how for each in done]) if len(done) == 2 else None
