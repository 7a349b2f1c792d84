"""What the choreography of a simulated world can do, one file for each dance."""

from random import Random

from .archive import ARCHIVE
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

MORE: tuple[Dance, ...] = (SAGA, LONG, TIMERS, DECISIONS, SPLIT, CHILDREN, SCHEDULES)
"""Each in every second world, whichever others there are: so that one more leaves half of the worlds as they were."""
ALL = (FIRST, *MORE, CHECKPOINTS, ARCHIVE)


def dances_of(seed: int) -> tuple[Dance, ...]:
    """Those of one world."""
    return (FIRST, *_some(seed, MORE), *around(seed))


def around(seed: int) -> tuple[Dance, ...]:
    """What happens to the log itself: checkpoints in every second world, and in half of these archiving."""
    checkpoints = _some(seed, (CHECKPOINTS,))
    return (*checkpoints, *_some(seed, (ARCHIVE,))) if checkpoints else ()


def _some(seed: int, dances: tuple[Dance, ...]) -> tuple[Dance, ...]:
    return tuple(dance for dance in dances if Random(f"{seed} {dance.name}").random() < 0.5)


__all__ = ["ALL", "ARCHIVE", "CHECKPOINTS", "FIRST", "MORE", "Dance", "Reacting", "Watcher", "around", "dances_of"]
