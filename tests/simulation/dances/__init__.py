"""What the choreography of a simulated world can do, one file for each dance."""

from random import Random

from .checkpoints import CHECKPOINTS
from .dance import Dance, Reacting, Watcher
from .first import FIRST

MORE: tuple[Dance, ...] = (CHECKPOINTS,)
"""Each in every second world, whichever others there are: so that one more leaves half of the worlds as they were."""
ALL = (FIRST, *MORE)


def dances_of(seed: int) -> tuple[Dance, ...]:
    """Those of one world."""
    return (FIRST, *(dance for dance in MORE if Random(f"{seed} {dance.name}").random() < 0.5))


__all__ = ["ALL", "CHECKPOINTS", "FIRST", "MORE", "Dance", "Reacting", "Watcher", "dances_of"]
