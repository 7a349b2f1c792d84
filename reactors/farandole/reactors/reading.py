"""What records say besides events; how events are read is `farandole.projections.reading`."""

from typing import Any

from farandole.eventstore import Stored
from farandole.projections.reading import context_of, event_of, read_event
from farandole.schemas import EventTypes, system_records
from farandole.schemas.envelope import Envelope, Flag, unpack

from .shown import text

__all__ = ["context_of", "edited_by", "event_of", "failure_of", "read_event"]

_CODED = int(Flag.CODED)


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
