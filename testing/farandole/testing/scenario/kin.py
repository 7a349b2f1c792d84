"""What a run has to do with those that it started, in words."""

from collections.abc import Sequence

from farandole.eventstore import Stored
from farandole.projections.fold import CHILD_DONE, CHILD_FAILED, Applied
from farandole.reactors.shown import text
from farandole.schemas import system_records
from farandole.schemas.envelope import Envelope, Kind
from farandole.schemas.kinship import CANCELLED, OUT_OF_TIME, News


def births(out: Applied) -> Sequence[str]:
    """The runs that a record starts."""
    return [
        f"{_short(message.name)} as run '{text(message.key)}'{f' of {text(message.to)}' if message.to else ''}"
        for _, message in out.messages
        if message.kind == Kind.START
    ]


def news(e: Envelope, record: Stored, type: bytes) -> str | None:
    """What a record tells of a child; None if it tells of none.

    Args:
        type: what it enters the history as.
    """
    if not type.startswith((CHILD_DONE, CHILD_FAILED)):
        return None
    about, told = text(type.partition(b":")[2]), News.read(e.extra)
    if told is None:
        return f"ChildFailed[{about}]: {_error(record) or 'it could not be started'}"
    whom = f"of run '{text(told.run_id)}'{f' of {text(told.choreography)}' if told.choreography else ''}"
    if e.kind == Kind.CHILD_ENDED:
        return f"ChildDone[{about}] {whom}"
    why = "cancelled" if told.flags & CANCELLED else "out of time" if told.flags & OUT_OF_TIME else _error(record)
    return f"ChildFailed[{about}] {whom}: {why or 'failed'}"


def _error(record: Stored) -> str:
    said = str(system_records.CHILD_NEWS.decode(record.value)["error"]) if record.value is not None else ""
    return said.partition("\n")[0]


def _short(name: bytes) -> str:
    return text(name).rpartition(".")[2]
