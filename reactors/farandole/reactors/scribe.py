"""Records as they go into the log: the one place where events, failures and commands become bytes and headers."""

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from typing import Any, Final, Self

from farandole.eventstore import Record, Stored
from farandole.projections.fold import Pair
from farandole.schemas import (
    Event,
    EventTypes,
    FarandoleError,
    PayloadContext,
    SystemSchema,
    event_info,
    system_records,
)
from farandole.schemas.envelope import NO_SCHEMA, Flag, Header, Kind, pack, pack_outcome, unpack
from farandole.schemas.ids import OUTSIDE, derived_id, failure_id, new_append, outside_id

from .event_flags import flags_of
from .others import OtherTypes
from .shown import text
from .trace_headers import carried
from .written import ROOM_FOR_COPIES, Part, Written, size_of

_NOTHING: Final = b"farandole.Nothing"
_NAMES: Final = len("ce_specversion1.0ce_idce_sourcece_typefa")
"""Bytes of a record's headers besides their values; that of ``ce_specversion`` is always the same."""
_new: Final = tuple.__new__
_MOST_WHY: Final = 60_000
"""Bytes of a reason, for which the header has room."""
_COPIED: Final = int(Flag.END | Flag.FINAL_END | Flag.COMPENSATE | Flag.NO_REACTOR | Flag.CODED)
"""Flags that a record which comes due has from the one that set it."""


class Scribe:
    """Writes the records of one process.

    Args:
        choreography: its name.
        origin: the service's name, or ``client``.
        types: how its events are written.
        now: microseconds since 1970 UTC, for the sender's own time.
        new_append: 16 bytes that no other append has.
        new_id: an id from outside that no other record has.
    """

    def __init__(
        self,
        choreography: str,
        origin: str,
        types: EventTypes,
        now: Callable[[], int],
        *,
        new_append: Callable[[], bytes] = new_append,
        new_id: Callable[[], bytes] = outside_id,
    ) -> None:
        self.choreography = choreography
        self.types = types
        self.others = OtherTypes(types)
        self.source = f"/{choreography}/{origin}".encode()
        self.now = now
        self._append = new_append
        self._id = new_id
        self._written: dict[type[Event], tuple[bytes, int]] = {}

    def of(self, source: str) -> Self:
        """One that writes the same, and says in each record that it came from there."""
        other = copy(self)
        other.source = source.encode()
        return other

    def new_name(self) -> bytes:
        """16 bytes that no other process, append or event is called by."""
        return self._append()

    def start(self, run_id: bytes, event: Event, not_after: int = 0) -> Record:
        """The record that opens a run; its id is random, and kept when the same record is appended again."""
        info = event_info(type(event))
        deadline = int(info.deadline.total_seconds() * 1000) if info.deadline else 0
        return self._outside(Kind.START, run_id, event, not_after, delay=deadline)

    def signal(self, run_id: bytes, event: Event, not_after: int) -> Record:
        return self._outside(Kind.SIGNAL, run_id, event, not_after)

    def answer(
        self, run_id: bytes, event: Event, not_after: int, decision: bytes, hash: bytes, by: str, via: str
    ) -> Record:
        """A person's answer to a decision.

        Args:
            hash: of what the person was shown.
            via: where from.
        """
        name = by.encode()
        extra = hash + bytes((len(name),)) + name + via.encode()
        return self._outside(Kind.ANSWER, run_id, event, not_after, causation=decision, extra=extra)

    def command(
        self,
        kind: Kind,
        run_id: bytes,
        content: Mapping[str, Any],
        not_after: int,
        *,
        causation: bytes = b"",
        reactor: bytes = b"",
        extra: bytes = b"",
    ) -> Record:
        """A cancel, retry, pause, resume or owe."""
        schema = _COMMANDS[kind]
        headers = pack(
            kind=kind, id=self._id(), type=schema.name.encode(), source=self.source, append=self._append(),
            sent=self.now(), not_after=not_after, schema=schema.fingerprint, causation=causation, reactor=reactor,
            extra=extra,
        )  # fmt: skip
        return Record(run_id, schema.encode(content), headers)

    def edited(
        self, run_id: bytes, failure: bytes, place: int, event: Event, not_after: int, *, by: str = "", why: str = ""
    ) -> Record:
        """A retry of a parked step, with an event in the place of one that it took.

        Args:
            failure: the id of the failure that parked it.
            place: which of its inputs.
        """
        said = by.encode()[:255]
        extra = bytes((place, len(said))) + said + why.encode()[:_MOST_WHY]
        return self._outside(Kind.RETRY, run_id, event, not_after, causation=failure, extra=extra, more=Flag.EDITED)

    def control(self, kind: Kind, contents: Sequence[Mapping[str, Any]]) -> list[Record]:
        """Control records of one framed append; they belong to no run."""
        schema = _CONTROLS[kind]
        append = self._append()
        return [
            Record(
                None,
                schema.encode(content),
                pack(
                    kind=kind, id=self._id(), type=schema.name.encode(), source=self.source, append=append,
                    index=index, count=len(contents), sent=self.now(), schema=schema.fingerprint,
                ),
            )
            for index, content in enumerate(contents)
        ]  # fmt: skip

    def schedule(self, schema: SystemSchema, name: bytes, why: str, by: str) -> Record:
        """What somebody did to a schedule."""
        headers = self._headers(Kind.SCHEDULE, self._id(), schema.name.encode(), schema=schema.fingerprint)
        return Record(name, schema.encode({"reason": why, "by": by}), headers)

    def expire(self, run_id: bytes) -> Record:
        schema = system_records.EXPIRE
        headers = self._headers(Kind.EXPIRE, self._id(), schema.name.encode(), schema=schema.fingerprint)
        return Record(run_id, schema.encode({}), headers)

    def out_of_time(self, run_id: bytes) -> Record:
        """The record that brings a run to its end whose deadline has passed."""
        return Record(run_id, None, self._headers(Kind.EXPIRY, self._id(), b"farandole.Expiry"))

    def comes_due(self, kind: Kind, run_id: bytes, type: bytes, set: Stored, causation: bytes) -> Record:
        """What was set happens: a copy of its value, which need not be read for that.

        Args:
            type: wire name of the event.
            set: the record of the outcome that set it.
            causation: what comes to its end with it: the timer, or the decision.
        """
        e = unpack(set.headers)
        headers = self._headers(
            kind, OUTSIDE + e.id, type, schema=e.schema, causation=causation, flags=e.flags & _COPIED
        )
        return Record(run_id, set.value, [*headers, *carried(set.headers)])

    def expiry_of_fan_in(self, run_id: bytes, fan_out: bytes, reactor: bytes, said: str) -> Record:
        """The record that ends the waiting of a fan-in, which is a failure of the branches that gave nothing."""
        schema = system_records.FAILURE
        headers = pack(
            kind=Kind.EXPIRY, id=self._id(), type=schema.name.encode(), source=self.source, append=self._append(),
            sent=self.now(), schema=schema.fingerprint, causation=fan_out, reactor=reactor,
        )  # fmt: skip
        return Record(run_id, schema.encode({"error": "builtins.TimeoutError", "message": said}), headers)

    def outcome(self, run_id: bytes, pair: Pair, events: Sequence[Event]) -> Written:
        """The records of one outcome; of no events, one record that says so."""
        trigger, reactor, generation = pair.trigger, pair.reactor, pair.generation
        append, sent, source = self._append(), self.now(), self.source
        count = len(events)
        if not count:
            headers = pack_outcome(
                derived_id(trigger, reactor, generation, 0), _NOTHING, source, append, 0, 0, sent, 0, NO_SCHEMA,
                trigger, reactor, generation,
            )  # fmt: skip
            record = Record(run_id, None, headers)
            return Written((record,), size := size_of(record), size)
        encode, with_codec = self.types.encode, self.types.codec is not None
        records = []
        size = largest = 0
        for index, event in enumerate(events):
            type_name, flags = self._written.get(type(event)) or self._learn(type(event))
            id = derived_id(trigger, reactor, generation, index)
            value, schema, coded = encode(event, self._context(run_id, id, type_name) if with_codec else None)
            if coded:
                flags |= Flag.CODED
            headers = pack_outcome(
                id, type_name, source, append, index, count, sent, flags, schema, trigger, reactor, generation
            )
            records.append(_new(Record, (run_id, value, headers)))
            its = _NAMES + len(run_id) + len(value) + len(id) + len(source) + len(type_name) + len(headers[-1][1])
            size += its
            if its > largest:
                largest = its
        return _new(Written, (records, size, largest))

    def outcome_of(
        self, run_id: bytes, pair: Pair, parts: Sequence[Part], branches: Sequence[type[Event]] | None
    ) -> Written:
        """The records of an outcome that holds more than plain events, or is a fan-out.

        Args:
            branches: what its branches may begin with, if it is a fan-out.
        """
        append, sent = self._append(), self.now()
        fan = 0 if branches is None else int(Flag.FANOUT)
        types = b"\0".join(self.types.wire_name(event).encode() for event in branches or ())
        records = []
        largest = 0
        for index, part in enumerate(parts or (Part(_NOTHING, None),)):
            headers = pack(
                kind=Kind.OUTCOME, id=derived_id(pair.trigger, pair.reactor, pair.generation, index), type=part.type,
                source=self.source, append=append, index=index, count=len(parts), sent=sent, flags=part.flags | fan,
                not_after=part.not_after, delay=part.delay, schema=part.schema, causation=pair.trigger,
                reactor=pair.reactor, generation=pair.generation, branch=b"" if index else types, extra=part.extra,
            )  # fmt: skip
            record = Record(run_id, part.value, headers)
            records.append(record)
            largest = max(largest, size_of(record) + (ROOM_FOR_COPIES if part.copied else 0))
        return Written(records, sum(map(size_of, records)), largest)

    def sealed(self, event: Event, run_id: bytes, id: bytes) -> tuple[bytes, bytes, bytes, int]:
        """An event as it stands in a record: its type, value, schema and flags."""
        type_name, flags = self._written.get(type(event)) or self._learn(type(event))
        value, schema, coded = self.types.encode(event, self._context(run_id, id, type_name))
        return type_name, value, schema, flags | Flag.CODED if coded else flags

    def sealed_system(
        self, schema: SystemSchema, content: Mapping[str, Any], run_id: bytes, id: bytes
    ) -> tuple[bytes, Flag]:
        """A system record that may say what is secret, and the flag that it went through the codec.

        Raises:
            FarandoleError: the codec failed.
        """
        value = schema.encode(content)
        if self.types.codec is None:
            return value, Flag(0)
        context = PayloadContext(self.choreography, text(run_id), id.decode(), schema.name, schema.fingerprint)
        return self.types.seal(value, context), Flag.CODED

    def failure(
        self, run_id: bytes, pair: Pair, attempt: int, content: Mapping[str, Any], *, last: bool, delay_ms: int = 0
    ) -> Record:
        """The record of a failed attempt; the fold takes it iff it is of the pair's next attempt."""
        id = failure_id(pair.trigger, pair.reactor, pair.generation, attempt)
        schema = system_records.FAILURE
        flags = Flag.LAST if last else Flag(0)
        try:
            value, coded = self.sealed_system(schema, content, run_id, id)
            flags |= coded
        except FarandoleError as e:
            # What the handler said may be secret, so that without the codec only its kind is told.
            said = {"message": f"not recorded, for the payload codec failed: {e}", "traceback": ""}
            value = schema.encode({**content, **said})
        headers = pack(
            kind=Kind.FAILURE, id=id, type=schema.name.encode(), source=self.source, append=self._append(),
            sent=self.now(), attempt=attempt, flags=flags, delay=0 if last else delay_ms, schema=schema.fingerprint,
            causation=pair.trigger, reactor=pair.reactor, generation=pair.generation,
        )  # fmt: skip
        return Record(run_id, value, headers)

    def of_step(
        self,
        kind: Kind,
        run_id: bytes,
        pair: Pair,
        content: Mapping[str, Any] | None = None,
        *,
        delay: int = 0,
        extra: bytes = b"",
        attempt: int = 0,
        says: SystemSchema | None = None,
    ) -> Record:
        """A claim, loss, progress or sub-step of a step at work.

        Args:
            says: what it holds, where that is not what records of its kind hold in the log.

        Raises:
            EncodingError: what a handler said cannot go through the payload codec.
        """
        id, (name, schema, sealed) = self._id(), _OF_STEPS[kind] if says is None else (says.name, says, True)
        flags, fingerprint, value = Flag(0), NO_SCHEMA, None
        if schema is not None and content is not None:
            value, fingerprint = schema.encode(content), schema.fingerprint
            if sealed and self.types.codec is not None:
                context = PayloadContext(self.choreography, text(run_id), id.decode(), name, fingerprint)
                value, flags = self.types.seal(value, context), Flag.CODED
        headers = pack(
            kind=kind, id=id, type=name.encode(), source=self.source, append=self._append(), sent=self.now(),
            flags=flags, attempt=attempt, delay=delay, schema=fingerprint, causation=pair.trigger,
            reactor=pair.reactor, generation=pair.generation, extra=extra,
        )  # fmt: skip
        return Record(run_id, value, headers)

    def _headers(
        self,
        kind: Kind,
        id: bytes,
        type: bytes,
        *,
        schema: bytes = NO_SCHEMA,
        causation: bytes = b"",
        flags: int = 0,
    ) -> list[Header]:
        """Headers of a record that needs no more than these."""
        return pack(
            kind=kind, id=id, type=type, source=self.source, append=self._append(), sent=self.now(), schema=schema,
            causation=causation, flags=flags,
        )  # fmt: skip

    def _outside(
        self,
        kind: Kind,
        run_id: bytes,
        event: Event,
        not_after: int,
        *,
        delay: int = 0,
        causation: bytes = b"",
        extra: bytes = b"",
        more: int = 0,
    ) -> Record:
        type_name, flags = self._learn(type(event))
        flags |= more
        id = self._id()
        value, schema, coded = self.types.encode(event, self._context(run_id, id, type_name))
        if coded:
            flags |= Flag.CODED
        headers = pack(
            kind=kind, id=id, type=type_name, source=self.source, append=self._append(), sent=self.now(),
            not_after=not_after, delay=delay, flags=flags, schema=schema, causation=causation, extra=extra,
        )  # fmt: skip
        return Record(run_id, value, headers)

    def _context(self, run_id: bytes, id: bytes, type_name: bytes) -> PayloadContext:
        """What a payload codec is told of an event."""
        return PayloadContext(self.choreography, text(run_id), id.decode(), type_name.decode())

    def _learn(self, event: type[Event]) -> tuple[bytes, int]:
        written = self._written[event] = (self.types.wire_name(event).encode(), flags_of(event))
        return written


_COMMANDS: Final = {
    Kind.CANCEL: system_records.CANCEL,
    Kind.RETRY: system_records.RETRY,
    Kind.PAUSE: system_records.PAUSE,
    Kind.RESUME: system_records.RESUME,
    Kind.OWE: system_records.OWE,
}
_OF_STEPS: Final[Mapping[Kind, tuple[str, SystemSchema | None, bool]]] = {
    Kind.CLAIM: ("farandole.Claim", None, False),
    Kind.LOST: (system_records.FAILURE.name, system_records.FAILURE, False),
    Kind.PROGRESS: (system_records.PROGRESS.name, system_records.PROGRESS, True),
    Kind.SUBSTEP: (system_records.SUBSTEP.name, system_records.SUBSTEP, True),
}
"""Name, schema, and whether a handler said it, so that it may be secret."""
_CONTROLS: Final = {
    Kind.GENESIS: system_records.GENESIS,
    Kind.SETTING: system_records.SETTING,
    Kind.VERSION: system_records.VERSION,
    Kind.CONTRACT: system_records.CONTRACT,
    Kind.RELEASED: system_records.RELEASED,
    Kind.POLICY: system_records.POLICY,
}
