"""Recorded bytes back to events: the one place where values of the log are decoded to classes."""

from typing import Final

from farandole.eventstore import EventStore, Stored
from farandole.schemas import Event, EventTypes, PayloadContext, UndecodableValue
from farandole.schemas.catalogue import refresh
from farandole.schemas.envelope import Envelope, Flag, unpack

from . import contexts

_CODED: Final = int(Flag.CODED)


def event_of(types: EventTypes, record: Stored) -> Event:
    """The event that a record holds.

    Raises:
        UndecodableValue: it cannot be read here; says why and what to do.
    """
    e = unpack(record.headers)
    name, value = e.type.decode(errors="replace"), record.value or b""
    if e.flags & _CODED:
        return types.decode(name, value, coded=True, context=context_of(types, record, e))
    return types.decode(name, value)


async def read_event(types: EventTypes, store: EventStore, record: Stored) -> Event:
    """The event that a record holds; if it cannot be read, once more with the newest schemas of the log's catalogue.

    Raises:
        UndecodableValue: it cannot be read here; says why and what to do.
        StoreError: the catalogue cannot be read, or a schema registry that has to be asked.
    """
    try:
        return event_of(types, record)
    except UndecodableValue:
        await refresh(store.catalogue, types)
    try:
        return event_of(types, record)
    except UndecodableValue:
        await store.explain(record)
        await refresh(store.catalogue, types)
        return event_of(types, record)


def context_of(types: EventTypes, record: Stored, e: Envelope) -> PayloadContext:
    """What a payload codec was told of a record's value, which may belong to another run than the record does."""
    return contexts.context_of(types.prefix, record, e)
