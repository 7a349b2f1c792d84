"""Recorded bytes back to what they say: the one place where values of the log are decoded."""

from typing import Any

from farandole.eventstore import EventStore, Stored
from farandole.projections import contexts
from farandole.schemas import Event, EventTypes, PayloadContext, UndecodableValue, system_records
from farandole.schemas.catalogue import refresh
from farandole.schemas.envelope import Envelope, Flag, unpack

from .shown import text

_CODED = int(Flag.CODED)


def event_of(types: EventTypes, record: Stored) -> Event:
    """The event that a record holds.

    Raises:
        UndecodableValue: it cannot be read here; says why and what to do.
    """
    e = unpack(record.headers)
    if e.flags & _CODED:
        return types.decode(text(e.type), record.value or b"", coded=True, context=context_of(types, record, e))
    return types.decode(text(e.type), record.value or b"")


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


def failure_of(types: EventTypes, record: Stored) -> dict[str, Any]:
    """What a failure record says: ``error``, ``message``, ``traceback``, ``fingerprint``.

    Raises:
        UndecodableValue: it cannot be read here.
    """
    e = unpack(record.headers)
    value = record.value
    if value is not None and e.flags & _CODED:
        value = types.unseal(value, context_of(types, record, e))
    return system_records.FAILURE.decode(value)


def edited_by(e: Envelope) -> tuple[str, str]:
    """Who retried a step with another input, and why; both empty if the record says nothing of the kind."""
    if len(e.extra) < 2:
        return "", ""
    end = 2 + e.extra[1]
    return text(e.extra[2:end]), text(e.extra[end:])


def context_of(types: EventTypes, record: Stored, e: Envelope) -> PayloadContext:
    """What a payload codec was told of a record's value, which may belong to another run than the record does."""
    return contexts.context_of(types.prefix, record, e)
