"""`Recorded`: an event together with its place in the log."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic

from typing_extensions import TypeVar

from farandole.eventstore import Stored
from farandole.projections.fold import Fact
from farandole.schemas import Event
from farandole.schemas.envelope import Envelope

E_co = TypeVar("E_co", bound=Event, default=Event, covariant=True)


@dataclass(frozen=True, slots=True)
class Recorded(Generic[E_co]):
    """An event of a run's history, with its place in the log.

    Attributes:
        event: the event itself.
        name: its name on the wire, as ``orders.PaymentTaken``.
        at: when the log took it.
        reactor: the reactor that emitted it; empty for what came from outside.
        offset: its offset in the run's partition.
        id: its event id.
        run_id: its run.
    """

    event: E_co
    name: str
    at: datetime
    reactor: str
    offset: int
    id: str = ""
    run_id: str = ""


def recorded(event: Event, fact: Fact, record: Stored, by: Envelope, run_id: str) -> Recorded:
    """An event as it was admitted.

    Args:
        record: that of the event.
        by: of the record with which it was admitted.
    """
    at = datetime.fromtimestamp(record.time / 1000, UTC)
    return Recorded(
        event, _text(fact.type), at, by.reactor.decode(errors="replace"), record.offset, _text(fact.id), run_id
    )


def _text(id: bytes) -> str:
    return id.decode(errors="replace")
