"""What a payload codec was told of a record's value."""

from typing import Final

from farandole.eventstore import Stored
from farandole.schemas import PayloadContext
from farandole.schemas.envelope import Envelope, Flag, Kind
from farandole.schemas.ids import OUTSIDE
from farandole.schemas.kinship import Birth, News, Ticked, scheduled_run

_AFTER: Final = int(Flag.AFTER)
_CHILD: Final = int(Flag.CHILD)


def context_of(choreography: str, record: Stored, e: Envelope) -> PayloadContext:
    """What a payload codec was told of a record's value, which may belong to another run than the record does.

    Args:
        choreography: that of the log.
    """
    here = PayloadContext(choreography, _text(record.key or b""), _text(e.id), _text(e.type), e.schema)
    if e.kind == Kind.OUTCOME and e.flags & _AFTER:
        # It was sealed for the record into which it is copied once it is due.
        return here._replace(event_id=_text(OUTSIDE + e.id), type=_text(e.extra))
    if e.kind == Kind.CHILD_ENDED and (told := News.read(e.extra)) is not None:
        of = _text(told.choreography) or choreography
        return PayloadContext(of, _text(told.run_id), _text(told.event), _text(told.type), e.schema)
    if e.kind == Kind.OUTCOME and e.flags & _CHILD and (birth := Birth.read(e.extra)) is not None:
        of, run_id = _text(birth.choreography) or choreography, _text(birth.run_id or e.id)
        return PayloadContext(of, run_id, _text(OUTSIDE + e.id), _text(birth.type), e.schema)
    if e.kind == Kind.TICK and (tick := Ticked.read(e.extra)) is not None:
        run_id = _text(scheduled_run(record.key or b"", tick.ms))
        return here._replace(run_id=run_id, type=_text(tick.type))
    return here


def _text(id: bytes) -> str:
    return id.decode(errors="replace")
