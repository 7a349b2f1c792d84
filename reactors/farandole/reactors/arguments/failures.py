"""The final failure of a step, for whoever takes it."""

from collections.abc import Collection, Sequence
from typing import Any

from farandole.eventstore import Stored
from farandole.projections.fold import FAILURE, NOTHING
from farandole.reactors.inputs import Failed
from farandole.reactors.reading import failure_of
from farandole.schemas.envelope import unpack

from .events import EventReader


async def failed(
    reader: EventReader, records: Sequence[Stored], types: Sequence[bytes], wanted: Collection[bytes]
) -> Failed[Any]:
    """The failure, about the event that the handler asks for.

    Args:
        records: the failure's, then those of what the failed step took.
        types: wire names of what the failed step took.
        wanted: those about which the failure may be; none: any.
    """
    failure, *taken = records
    named = (
        r for r, t in zip(taken, types, strict=True) if t in wanted or (not wanted and t not in (FAILURE, NOTHING))
    )
    return await failure_about(reader, failure, next(named, taken[-1]))


async def failure_about(reader: EventReader, failure: Stored, about: Stored) -> Failed[Any]:
    """The failure in one record, about the event in another."""
    e = unpack(failure.headers)
    content = failure_of(reader.types, failure)
    return Failed(
        event=await reader.event(about),
        reactor=e.reactor.decode(),
        error=content["message"],
        error_type=content["error"].rpartition(".")[2],
        attempts=e.attempt,
        traceback=content["traceback"],
    )
