"""A record of the log with everything that can be told of it: what `show`, `tail`, `dev` and `demo` print."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from farandole.eventstore import EventStore, Stored
from farandole.projections.fold import Verdict
from farandole.reactors.client import Client
from farandole.reactors.plain_reader import PlainReader
from farandole.reactors.reading import edited_by
from farandole.schemas import UndecodableValue, UnreadableHeaders
from farandole.schemas.envelope import Envelope, Flag, Kind, unpack

from .output import safe
from .times import instant

_CHUNK: Final = 200


@dataclass(frozen=True, slots=True)
class Told:
    """One record.

    Attributes:
        record: as it is stored.
        envelope: its headers; None if they cannot be read.
        verdict: what the fold made of it.
        content: the fields of its value; None if it has none, or they cannot be read.
        problem: why they cannot.
    """

    record: Stored
    envelope: Envelope | None
    verdict: Verdict
    content: dict[str, Any] | None
    problem: str = ""

    @property
    def run(self) -> str:
        return safe((self.record.key or b"").decode(errors="replace"))

    @property
    def type(self) -> str:
        return safe(self.envelope.type.decode(errors="replace")) if self.envelope else ""

    @property
    def reactor(self) -> str:
        return safe(self.envelope.reactor.decode(errors="replace")) if self.envelope else ""

    @property
    def admitted(self) -> bool:
        return self.verdict is Verdict.ADMITTED

    @property
    def last(self) -> bool:
        """Whether it is the failure that parks its step, or is handed to a reactor of failures."""
        return self.envelope is not None and bool(self.envelope.flags & Flag.LAST)

    @property
    def edits(self) -> bool:
        """Whether it is a retry with another input, which it holds."""
        return (
            self.envelope is not None and self.envelope.kind == Kind.RETRY and bool(self.envelope.flags & Flag.EDITED)
        )

    def json(self) -> dict[str, Any]:
        """Everything, for other programs."""
        e, record = self.envelope, self.record
        said: dict[str, Any] = {
            "run": self.run,
            "partition": record.partition,
            "offset": record.offset,
            "at": instant(record.time),
            "verdict": self.verdict.name.lower(),
        }
        if e is not None:
            said |= {
                "kind": Kind(e.kind).name.lower(),
                "type": self.type,
                "id": e.id.decode(),
                "source": e.source.decode(),
            }
            optional = {
                "reactor": self.reactor,
                "causation": e.causation.decode(),
                "attempt": e.attempt,
                "generation": e.generation.decode(),
                "delay_ms": e.delay,
            }
            said |= {name: value for name, value in optional.items() if value}
            if e.kind == Kind.FAILURE:
                said["last"] = self.last
            if self.edits:
                by, why = edited_by(e)
                said |= {"edited": True, "by": safe(by), "reason": safe(why)}
        said["data"] = self.content
        if self.problem:
            said["unreadable"] = self.problem
        return said


class Teller:
    """Reads records of one log for people."""

    def __init__(self, reader: PlainReader) -> None:
        self._reader = reader

    async def tell(self, record: Stored, verdict: Verdict) -> Told:
        """What can be told of a record; what cannot be read is said, not raised."""
        try:
            envelope = unpack(record.headers)
        except UnreadableHeaders as e:
            return Told(record, None, verdict, None, str(e))
        try:
            return Told(record, envelope, verdict, await self._reader.read(record))
        except UndecodableValue as e:
            return Told(record, envelope, verdict, None, str(e))


class LogTeller(Teller):
    """Reads them from the log itself."""

    def __init__(self, client: Client) -> None:
        super().__init__(PlainReader(client.store.catalogue.load, client.scribe.types, client.store.explain))
        self._store: EventStore = client.store

    async def tell_at(self, partition: int, offsets: Iterable[int], verdicts: dict[int, Verdict]) -> list[Told]:
        """What can be told of the records at these offsets, in the order of the log."""
        wanted = sorted(offsets)
        found: list[Told] = []
        for begin in range(0, len(wanted), _CHUNK):
            records: Sequence[Stored] = await self._store.fetch(partition, wanted[begin : begin + _CHUNK])
            found += [await self.tell(record, verdicts.get(record.offset, Verdict.ADMITTED)) for record in records]
        return found
