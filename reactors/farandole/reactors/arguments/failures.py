"""The final failure of a step, for whoever takes it."""

from collections.abc import Collection, Sequence
from typing import Any

from farandole.eventstore import Stored
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
    e = unpack(failure.headers)
    content = failure_of(reader.types, failure)
    about = next((r for r, t in zip(taken, types, strict=True) if not wanted or t in wanted), taken[0])
    return Failed(
        event=await reader.event(about),
        reactor=e.reactor.decode(),
        error=content["message"],
        error_type=content["error"].rpartition(".")[2],
        attempts=e.attempt,
        traceback=content["traceback"],
    )
