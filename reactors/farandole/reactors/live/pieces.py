"""A piece of what a step at work says, as whoever looks on has it."""

from dataclasses import dataclass
from datetime import UTC, datetime

from farandole.eventstore import Stored
from farandole.reactors.reading import context_of
from farandole.reactors.shown import text
from farandole.schemas import EventTypes, FarandoleError, system_records
from farandole.schemas.envelope import Flag, Kind, unpack


@dataclass(frozen=True, slots=True)
class Live:
    """A piece of what a step at work says. The texts of one kind, one behind the other, are what it has said so far.

    Attributes:
        reactor: whose step.
        trigger: id of the event that made it owed.
        attempt: which attempt says it.
        kind: ``text``, or what the handler called it.
        text: what was said.
        index: counts the pieces of one take, from 0.
        take: tells the takes of a step apart: each attempt is another, and so is the same one in other hands.
        anew: it begins a take: what the step was heard to say before holds no longer.
        lost: something between it and what was heard before is lost.
        personal: it is for those alone who may see what is personal.
        at: when it was taken.
        offset: where it stands in what is kept of its partition.
        generation: of the step; empty but for one that was owed again later.
    """

    reactor: str
    trigger: str
    attempt: int
    kind: str
    text: str
    index: int
    take: str
    anew: bool
    lost: bool
    personal: bool
    at: datetime
    offset: int
    generation: str = ""


def pieces_in(types: EventTypes, record: Stored) -> list[Live]:
    """What a record says, in order; nothing if it cannot be read here."""
    try:
        e, value = unpack(record.headers), record.value
        if e.kind != Kind.PROGRESS or e.type != system_records.LIVE.name.encode():
            return []
        if value is not None and e.flags & Flag.CODED:
            value = types.unseal(value, context_of(types, record, e))
        said = system_records.LIVE.decode(value)
    except (FarandoleError, ValueError):
        return []
    at = datetime.fromtimestamp(record.time / 1000, UTC)
    return [
        Live(
            text(e.reactor), text(e.causation), e.attempt, piece["kind"], piece["text"], said["index"] + n, said["take"],
            False, said["lost"] and n == 0, said["personal"], at, record.offset, text(e.generation),
        )
        for n, piece in enumerate(said["pieces"])
    ]  # fmt: skip
