"""What the branches of a fan-out gave, for whoever gathers it."""

from typing import Any

from farandole.reactors.annotations import Trigger
from farandole.reactors.dispatch import Work

from .events import EventReader


async def gathered(reader: EventReader, work: Work, trigger: Trigger) -> list[Any]:
    """The list for a ``list[...]`` parameter, in the order of the branches."""
    raise NotImplementedError(trigger.param)
