"""What became of a child run, for whoever waits for it."""

from typing import Any

from farandole.eventstore import Stored
from farandole.projections.fold import CHILD_DONE, CHILD_FAILED
from farandole.reactors.inputs import ChildDone, ChildFailed
from farandole.reactors.reading import context_of
from farandole.reactors.shown import text
from farandole.schemas import Event, UndecodableValue, refresh, system_records
from farandole.schemas.envelope import Envelope, Flag, Kind, unpack
from farandole.schemas.kinship import CANCELLED, Birth, Judged, News

from .events import EventReader

NEWS = (CHILD_DONE, CHILD_FAILED)
"""How the types of news begin."""


async def news(reader: EventReader, partition: int, record: Stored, type: bytes) -> ChildDone[Any] | ChildFailed[Any]:
    """The news in a record.

    Args:
        type: its type in the fold, which begins with one of `NEWS`.

    Raises:
        UndecodableValue: it cannot be read here.
        StoreError: it cannot be read now.
    """
    e = unpack(record.headers)
    if e.kind == Kind.CHILD_ENDED:
        told = News.read(e.extra)
        if told is None:
            raise UndecodableValue(f"the record at offset {record.offset} tells of no child")
        end = await _read(reader, record, e)
        return ChildDone(end, text(told.run_id), text(told.choreography) or reader.types.prefix)
    return await _failed(reader, partition, record, e)


async def _failed(reader: EventReader, partition: int, record: Stored, e: Envelope) -> ChildFailed[Any]:
    told = News.read(e.extra) or Judged.read(e.extra)
    (bearing,) = await reader.records(partition, (told.offset,)) if told is not None else (None,)
    head = unpack(bearing.headers) if bearing is not None else None
    birth = Birth.read(head.extra) if head is not None and head.flags & Flag.CHILD else None
    if bearing is None or head is None or birth is None:
        raise UndecodableValue(f"the record at offset {record.offset} tells of no child that was born here")
    start = await _read(reader, bearing, head)
    content = system_records.CHILD_NEWS.decode(record.value)
    cancelled = content["cancelled"] or (isinstance(told, News) and bool(told.flags & CANCELLED))
    run_id, choreography = text(birth.run_id or head.id), text(birth.choreography) or reader.types.prefix
    return ChildFailed(start, run_id, choreography, content["error"], cancelled)


async def _read(reader: EventReader, record: Stored, e: Envelope) -> Event:
    """An event of another run, which may belong to another choreography."""
    context, value, coded = context_of(reader.types, record, e), record.value or b"", bool(e.flags & Flag.CODED)
    short = context.type.rpartition(".")[2]
    known = reader.types.type_of(f"{reader.types.prefix}.{short}")
    types = reader.others.of(context.choreography, *([known] if known is not None else ()))
    try:
        return types.decode(context.type, value, coded=coded, context=context)
    except UndecodableValue:
        await refresh(reader.catalogue, types)
        return types.decode(context.type, value, coded=coded, context=context)
