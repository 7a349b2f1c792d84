"""Cancel case: the whole run is given up. `run.cancel("why")` is a record; what is owed from there on is dropped.

A step that is at work when the run is cancelled may go on, but its outcome is refused.
"""

import asyncio

from farandole.reactors import Choreography
from farandole.schemas import End, Event, Start

moves = Choreography("moves")


class MoveBooked(Start):
    boxes: int


class VanLoaded(Event):
    boxes: int


class MoveDone(End): ...


@moves.reactor
async def load(move: MoveBooked) -> VanLoaded:
    await asyncio.sleep(60 * move.boxes)
    return VanLoaded(boxes=move.boxes)


@moves.reactor
async def drive(van: VanLoaded) -> MoveDone:
    return MoveDone()
