"""What the branches of a fan-out gave, for whoever gathers it."""

from typing import Any

from farandole.projections.fold import FAILURE, NOTHING
from farandole.reactors.annotations import Trigger
from farandole.reactors.dispatch import Work

from .events import EventReader
from .failures import failure_about
from .news import NEWS, news


async def gathered(reader: EventReader, work: Work, trigger: Trigger) -> list[Any]:
    """The list for a ``list[...]`` parameter, in the order of the branches."""
    partition = work.serving.fold.partition
    records = await reader.records(partition, work.pair.inputs)
    items: list[Any] = []
    failure = None
    for record, type in zip(records, work.pair.types, strict=True):
        if failure is not None:
            items.append(await failure_about(reader, failure, record))
            failure = None
        elif type == FAILURE:
            failure = record
        elif type.startswith(NEWS):
            items.append(await news(reader, partition, record, type))
        elif type != NOTHING:
            items.append(await reader.event(record))
    return items
