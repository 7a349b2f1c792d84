"""Messages to other partitions as records: what stands in them comes from records that are in the log already."""

from collections.abc import Mapping
from typing import Any, Final

from farandole.eventstore import Record, Stored
from farandole.projections.fold import Message, Run, Verdict
from farandole.reactors.scribe import Scribe
from farandole.reactors.shown import text
from farandole.reactors.trace_headers import carried
from farandole.schemas import SystemSchema, UndecodableValue, system_records
from farandole.schemas.envelope import Envelope, Flag, Kind, pack, unpack
from farandole.schemas.ids import OUTSIDE, derived_id
from farandole.schemas.kinship import CANCELLED, Birth, Judged, News, Sender, Ticked

WITHIN: Final = 600_000
"""Milliseconds for which the cancel of a child may act; it is sent again with more."""
_KEEPER: Final = b"keeper"
_PASSED_ON: Final = int(Flag.CODED | Flag.NO_REACTOR)
_SECRET: Final = "a step failed; why it did can be read in the child's own history"  # noqa: S105
_NO_ROOM: Final = "a join holds too many events that wait for others"
_REFUSED: Final = {
    Verdict.RUN_EXISTS: "a run of this id exists",
    Verdict.RUN_REMEMBERED: "a run of this id exists, and has ended",
    Verdict.TOO_DEEP: "too many runs lie above it (setting `depth`)",
}


class Letters:
    """Writes messages of runs and schedules.

    Args:
        scribe: whose records they are.
    """

    def __init__(self, scribe: Scribe) -> None:
        self._scribe = scribe

    def start(self, message: Message, sender: Sender, attempt: int, bearing: Stored) -> Record:
        """What opens a child run.

        Args:
            bearing: the record that bore it: that of an outcome, or of a tick.
        """
        e = unpack(bearing.headers)
        headers = self._pack(
            Kind.START, OUTSIDE + message.id, type_of_start(bearing), message.id, attempt, sender.pack(), schema=e.schema,
            flags=e.flags & _PASSED_ON, delay=e.delay,
        )  # fmt: skip
        return Record(message.key, bearing.value, [*headers, *carried(bearing.headers)])

    def cancel(self, message: Message, sender: Sender, attempt: int, log_time: int) -> Record:
        """What cancels a child run.

        Args:
            log_time: that of the sender's partition: a keeper whose clock is behind would else send what is too late.
        """
        schema = system_records.CANCEL
        headers = self._pack(
            Kind.CANCEL, OUTSIDE + derived_id(message.id, _KEEPER, b"", message.n), schema.name.encode(),
            OUTSIDE + message.id, attempt, sender.pack(), schema=schema.fingerprint,
            not_after=max(self._scribe.now() // 1000, log_time) + WITHIN,
        )  # fmt: skip
        value = schema.encode({"reason": "the run that started it has its result", "by": ""})
        return Record(message.key, value, headers)

    def ended(self, message: Message, run: Run, attempt: int, end: Stored) -> Record:
        """That a child run has ended.

        Args:
            end: the record of its End.
        """
        e = unpack(end.headers)
        headers = self._news(message, run, attempt, b"farandole.ChildEnded", e.schema, e.flags & Flag.CODED, e.id)
        return Record(message.key, end.value, [*headers, *carried(end.headers)])

    def failed(
        self, message: Message, run: Run, attempt: int, start: bytes, error: str, failure: bytes = b""
    ) -> Record:
        """That a child run has failed or was cancelled, or that its End cannot be told.

        Args:
            start: wire name of its start.
            failure: id of the failure that parked a step of it.
        """
        schema = system_records.CHILD_NEWS
        cancelled = bool(message.flags & CANCELLED)
        value = schema.encode({"error": error, "cancelled": cancelled, "verdict": 0, "failure": text(failure)})
        failed = message if message.kind == Kind.CHILD_FAILED else _as_failed(message)
        headers = self._news(failed, run, attempt, b"farandole.ChildFailed", schema.fingerprint, name=start)
        return Record(message.key, value, headers)

    def delivered(
        self, key: bytes, causation: bytes, n: int, verdict: Verdict, offset: int, of_schedule: bool, error: str = ""
    ) -> Record:
        """That a message was judged where it went to.

        Args:
            offset: of the record that bore the child, in the sender's partition.
            error: why it was not delivered, where no log has judged it.
        """
        schema = system_records.CHILD_NEWS
        refused = _REFUSED.get(verdict, "it was refused there: " + verdict.name) if verdict.refused else ""
        content = {"error": error or refused, "cancelled": False, "verdict": int(verdict), "failure": ""}
        headers = self._pack(
            Kind.DELIVERED, OUTSIDE + self._scribe.new_name().hex().encode(), b"farandole.Delivered", causation, n,
            Judged(verdict, offset).pack(), schema=schema.fingerprint,
            flags=int(Flag.OF_SCHEDULE) if of_schedule else 0,
        )  # fmt: skip
        return Record(key, schema.encode(content), headers)

    def why(self, record: Stored, *, parked: bool) -> tuple[str, bytes]:
        """Why a child failed, in words, and the id of what parked a step of it.

        Args:
            record: what fixed its result, or parked the step: a failure, or an event for which a join had no room.
        """
        e = unpack(record.headers)
        if e.kind == Kind.CANCEL:
            return self._said(system_records.CANCEL, record, e).get("reason", "") or "it was cancelled", b""
        if e.kind not in (Kind.FAILURE, Kind.LOST):
            return (_NO_ROOM, e.id) if parked else ("it was out of time", b"")
        said = self._said(system_records.FAILURE, record, e)
        return (f"{said['error'].rpartition('.')[2]}: {said['message']}" if said else _SECRET), e.id

    def _said(self, schema: SystemSchema, record: Stored, e: Envelope) -> Mapping[str, Any]:
        """The content of a record; nothing, if it is for those who have the codec."""
        if e.flags & Flag.CODED:
            return {}
        try:
            return schema.decode(record.value)
        except UndecodableValue:
            return {}

    def _news(
        self,
        message: Message,
        run: Run,
        attempt: int,
        type: bytes,
        schema: bytes,
        flags: int = 0,
        event: bytes = b"",
        name: bytes = b"",
    ) -> list[tuple[str, bytes]]:
        parent = run.pend().parent
        if parent is None:
            raise ValueError(f"run {text(run.id)} has no parent to tell")
        news = News(
            message.flags, message.n, parent.offset, self._scribe.choreography.encode() if message.to else b"", run.id,
            event, name or message.name,
        )  # fmt: skip
        return self._pack(
            message.kind, OUTSIDE + derived_id(run.start, _KEEPER, b"", message.n), type, parent.child, attempt,
            news.pack(), schema=schema, flags=flags | (int(Flag.OF_SCHEDULE) if parent.of_schedule else 0),
        )  # fmt: skip

    def _pack(
        self, kind: int, id: bytes, type: bytes, causation: bytes, attempt: int, extra: bytes, **more: Any
    ) -> list[tuple[str, bytes]]:
        return pack(
            kind=kind, id=id, type=type, source=self._scribe.source, append=self._scribe.new_name(),
            sent=self._scribe.now(), causation=causation, attempt=attempt, extra=extra, **more,
        )  # fmt: skip


def sender_of(record: Stored, e: Envelope) -> tuple[str, bytes, bytes, int, int, bool] | None:
    """To whom it is said that a message was judged: choreography (empty: this one), key, the id and the number of the
    message, the offset of the record that bore the child in the sender's partition, and whether that is a schedule;
    None if the record says it not.
    """
    if e.kind in (Kind.START, Kind.CANCEL):
        sender = Sender.read(e.extra)
        if sender is None:
            return None
        n = 0 if e.kind == Kind.START else 1
        child = e.causation if e.kind == Kind.START else e.causation.removeprefix(OUTSIDE)
        return text(sender.choreography), sender.key, child, n, sender.offset, sender.of_schedule
    told = News.read(e.extra)
    if told is None:
        return None
    return text(told.choreography), told.run_id, OUTSIDE + e.causation, told.n, told.offset, False


def type_of_start(bearing: Stored) -> bytes:
    """Wire name of the start in a record that bears a run."""
    e = unpack(bearing.headers)
    told = Ticked.read(e.extra) if e.kind == Kind.TICK else Birth.read(e.extra)
    if told is None:
        raise ValueError(f"the record at offset {bearing.offset} bears no run")
    return told.type


def _as_failed(message: Message) -> Message:
    """A message that tells of an End, as one that tells that there is no telling it."""
    return Message(
        message.id,
        message.n,
        Kind.CHILD_FAILED,
        message.to,
        message.key,
        message.offset,
        message.since,
        0,
        message.name,
    )
