"""The events that choreographies are made up of: so many of each kind that none needs to be used twice for two things."""

from collections.abc import Mapping
from typing import Any, Final

from farandole.schemas import Answer, End, Event, Signal, Start
from simulation.tags import ANSWERS


def _several(base: type[Event], name: str, number: int, **options: Any) -> list[type[Event]]:
    fields = {"__module__": __name__, "__annotations__": {"tag": int, "left": int}, "left": 0}
    return [type(base)(f"{name}{n}", (base,), dict(fields), **options) for n in range(number)]


STARTS: Final = (*_several(Start, "Opened", 2), *_several(Start, "Urged", 1, deadline="40s"))
ERRANDS: Final = tuple(_several(Start, "SentOn", 4))
"""Starts of children."""
MADE: Final = tuple(_several(Event, "Made", 60))
SAID: Final = tuple(_several(Signal, "Said", 4))
AGREED: Final = tuple(_several(Answer, "Agreed", 3))
DENIED: Final = tuple(_several(Answer, "Denied", 3))
BACK: Final = tuple(_several(End, "CameBack", 4))
"""Ends of children."""
ENDS: Final = (
    *_several(End, "Ended", 2),
    *_several(End, "Dropped", 1, final=True),
    *_several(End, "Undone", 1, compensate=True),
)
BY_NAME: Final[Mapping[str, type[Any]]] = {
    event.__name__: event for event in (*STARTS, *ERRANDS, *MADE, *SAID, *AGREED, *DENIED, *BACK, *ENDS)
}
ANSWERS.update(f"sim.{event.__name__}".encode() for event in (*AGREED, *DENIED))
