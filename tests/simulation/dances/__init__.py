"""What the choreography of a simulated world can do, one file for each dance."""

from random import Random

from .checkpoints import CHECKPOINTS
from .children import CHILDREN
from .dance import Dance, Reacting, Watcher
from .decisions import DECISIONS
from .first import FIRST
from .long import LONG
from .saga import SAGA
from .schedules import SCHEDULES
from .split import SPLIT
from .timers import TIMERS

MORE: tuple[Dance, ...] = (SAGA, LONG, TIMERS, DECISIONS, SPLIT, CHILDREN, SCHEDULES, CHECKPOINTS)
"""Each in every second world, whichever others there are: so that one more leaves half of the worlds as they were."""
ALL = (FIRST, *MORE)


def dances_of(seed: int) -> tuple[Dance, ...]:
    """Those of one world."""
    return (FIRST, *(dance for dance in MORE if Random(f"{seed} {dance.name}").random() < 0.5))


__all__ = ["ALL", "CHECKPOINTS", "FIRST", "MORE", "Dance", "Reacting", "Watcher", "dances_of"]
