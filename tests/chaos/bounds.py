"""What a time says of the seconds that are promised, on a machine that may have had no core for whoever was to keep them."""

from enum import Enum
from typing import Final

ALLOWED: Final = 0.25
"""How much of what is promised may be passed while a process waited for a core, as a part of it."""


class Bound(Enum):
    """Whether a promise of so many seconds was kept."""

    KEPT = "kept"
    NOT_SHOWN = "not shown"
    BROKEN = "broken"


def verdict(took: float, starved: float, promised: float) -> Bound:
    """Hold a time against a promise.

    Args:
        took: seconds from beginning to end.
        starved: how many of them the process that waited longest had no core.
        promised: seconds.
    """
    if took - min(starved, took) > promised:
        return Bound.BROKEN
    return Bound.KEPT if took <= promised * (1 + ALLOWED) else Bound.NOT_SHOWN
