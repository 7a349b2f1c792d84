"""A run as a client sees it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Generic, Literal, overload

from typing_extensions import TypeVar

from farandole.eventstore import Record, Stored
from farandole.projections.fold import Result, RunStatus, Verdict
from farandole.schemas import End, Event, Signal, UndecodableValue, acquaint, event_info, parse_duration, system_records
from farandole.schemas.envelope import Kind

from .alive import with_workers
from .commands import command_line
from .errors import CommandRefused, RunCancelled, RunExpired, RunFailed, UnexpectedEnd
from .follower import Entry, View
from .scribe import text

if TYPE_CHECKING:
    from .client import Client

A = TypeVar("A", bound=End)
B = TypeVar("B", bound=End)
C = TypeVar("C", bound=End)
E_co = TypeVar("E_co", bound=Event, default=Event, covariant=True)

Duration = str | timedelta | float


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


class RunHandle:
    """One run, for whoever starts it, sends to it, waits for it or looks after it. Made by `Client.start` and `run`."""

    def __init__(self, client: "Client", run_id: str, start_id: bytes | None = None, view: View | None = None) -> None:
        self._client = client
        self._key = run_id.encode()
        self._start_id = start_id
        # Held so that the run stays watched for as long as somebody may ask about it.
        self._view = view
        self.id = run_id
        """The run's id."""

    def __repr__(self) -> str:
        return f"RunHandle({self.id!r})"

    @property
    def created(self) -> Awaitable[bool]:
        """Whether this handle's start opened the run, and no earlier one did: ``if await run.created: …``."""
        return self._created()

    async def _created(self) -> bool:
        if self._start_id is None:
            return False
        return await self._verdict(self._start_id) is Verdict.ADMITTED

    async def send(self, signal: Signal, *, within: Duration = "10m", confirm: bool = True) -> None:
        """Send a signal into the run.

        Args:
            within: it may act for so long from now; a copy that comes later never acts.
            confirm: wait until the log has it and the run took it. Without, nothing is read back.

        Raises:
            CommandRefused: the run did not take it, and why.
            AppendError: it could not be appended.
        """
        if not isinstance(signal, Signal):
            raise TypeError(f"run.send takes a Signal; {type(signal).__name__} is an event that only reactors emit")
        client = self._client
        await acquaint(client.store.catalogue, client.scribe.types, type(signal))
        record = client.scribe.signal(self._key, signal, client.not_after(within))
        await self._command(record, type(signal).__name__, confirm)

    async def cancel(self, why: str = "", *, by: str = "") -> None:
        """Bring the run to an end with the result *cancelled*; what it owes is dropped.

        Raises:
            CommandRefused: the run has its result already, or is not there.
        """
        await self._control(Kind.CANCEL, {"reason": why, "by": by}, "cancel")

    async def pause(self, why: str = "", *, by: str = "") -> None:
        """Begin no further step of the run until `resume`.

        Raises:
            CommandRefused: the run is paused, or not there.
        """
        await self._control(Kind.PAUSE, {"reason": why, "by": by}, "pause")

    async def resume(self, why: str = "", *, by: str = "") -> None:
        """Let a paused run go on.

        Raises:
            CommandRefused: the run is not paused.
        """
        await self._control(Kind.RESUME, {"reason": why, "by": by}, "resume")

    async def retry(self, why: str = "", *, by: str = "", reactor: str | None = None) -> int:
        """Make the run's parked steps owed again; their attempts count on.

        Args:
            reactor: only those of this reactor.

        Returns:
            How many steps are owed again.

        Raises:
            CommandRefused: no step is parked.
        """
        status = await self.status()
        parked = [s for s in status.owed if s.parked and reactor in (None, s.reactor)]
        if not parked:
            raise CommandRefused(
                f"run '{self.id}': no step{f' of {reactor}' if reactor else ''} is parked, so there is nothing to retry; "
                f"the run is {status.status}",
                Verdict.NOT_PARKED,
            )
        for step in parked:
            content = {"failure_id": step.parked, "reason": why, "by": by}
            record = self._client.scribe.command(
                Kind.RETRY, self._key, content, self._client.not_after("10m"), causation=step.parked.encode()
            )
            await self._command(record, "retry", True)
        return len(parked)

    async def status(self) -> RunStatus:
        """What state the run is in, and what it owes, as of now."""
        view = await self._watched()
        (status,) = await with_workers(self._client.store, [self._client.follower.status(view)])
        return status

    async def history(self) -> list[Entry]:
        """Every record of the run, refused ones included, in the order of the log."""
        view = await self._watched()
        return list(view.entries)

    async def events(self, *, live: bool = True) -> AsyncIterator[Recorded]:
        """The run's events, from its start; then, if ``live``, those to come, until the run is closed.

        Events of types that this process does not declare are left out; `Choreography.know` makes them known.
        """
        view = await self._watched()
        seen = 0
        while True:
            while seen < len(view.entries):
                entry = view.entries[seen]
                seen += 1
                for recorded in await self._recorded(entry, view):
                    yield recorded
            if not live or (view.run is not None and view.run.state.name == "CLOSED"):
                return
            await view.changed()

    @overload
    async def result(
        self, *, timeout: Duration | None = None, on_parked: Literal["raise", "wait"] = "raise"
    ) -> End: ...
    @overload
    async def result(
        self, a: type[A], /, *, timeout: Duration | None = None, on_parked: Literal["raise", "wait"] = "raise"
    ) -> A: ...
    @overload
    async def result(
        self,
        a: type[A],
        b: type[B],
        /,
        *,
        timeout: Duration | None = None,
        on_parked: Literal["raise", "wait"] = "raise",
    ) -> A | B: ...
    @overload
    async def result(
        self,
        a: type[A],
        b: type[B],
        c: type[C],
        /,
        *,
        timeout: Duration | None = None,
        on_parked: Literal["raise", "wait"] = "raise",
    ) -> A | B | C: ...
    async def result(
        self, *ends: type[End], timeout: Duration | None = None, on_parked: Literal["raise", "wait"] = "raise"
    ) -> Any:
        """Wait for the run's result.

        Args:
            ends: the ends to expect; none: any.
            timeout: how long to wait at most.
            on_parked: ``wait``: a parked step may still be retried, go on waiting.

        Raises:
            UnexpectedEnd: it ended otherwise; the end is in the error.
            RunCancelled: it was cancelled.
            RunExpired: it was idle or failed for too long.
            RunFailed: a step is parked.
            TimeoutError: there was no result in time; says what the run is doing.
        """
        for end in ends:
            if not (isinstance(end, type) and issubclass(end, End)):
                raise TypeError(f"run.result takes the ends to expect; {end!r} is no End")
        seconds = None if timeout is None else parse_duration(timeout).total_seconds()
        try:
            async with asyncio.timeout(seconds):
                for end in ends:
                    if not event_info(end).abstract:
                        await acquaint(self._client.store.catalogue, self._client.scribe.types, end)
                return await self._result(ends, on_parked)
        except TimeoutError:
            if self._view is not None and self._view.run is not None and self._view.run.result is not Result.NONE:
                # It came while nobody could look, as when a handler in this process blocked the event loop.
                return await self._ended(self._view, ends)
            raise TimeoutError(f"run '{self.id}' has no result after {timeout}: {await self._doing()}") from None

    async def _result(self, ends: tuple[type[End], ...], on_parked: str) -> End:
        view = await self._watched()
        while True:
            run = view.run
            if run is not None and run.result is not Result.NONE:
                return await self._ended(view, ends)
            if run is not None and run.parked and on_parked != "wait":
                raise await self._failure(view)
            if run is None and self._start_id is not None and view.verdict(self._start_id) is Verdict.TOO_LATE:
                raise CommandRefused(f"run '{self.id}' was not started: {_WHY[Verdict.TOO_LATE]}", Verdict.TOO_LATE)
            await view.changed()

    async def _ended(self, view: View, ends: tuple[type[End], ...]) -> End:
        run = view.run
        if run is None:
            raise LookupError(self.id)
        (record,) = await self._records(view, [run.result_offset])
        if run.result is Result.CANCELLED:
            content = system_records.CANCEL.decode(record.value or b"")
            raise RunCancelled(
                f"run '{self.id}' was cancelled: {content['reason'] or 'no reason was given'}", content["reason"]
            )
        if run.result is Result.EXPIRED:
            raise RunExpired(f"run '{self.id}' expired: it was idle or failed for longer than the log allows")
        event = await self._client.decode(record)
        if not isinstance(event, ends or End):
            asked = " or ".join(e.__name__ for e in ends)
            raise UnexpectedEnd(f"run '{self.id}' ended with {type(event).__name__}, not with {asked}", event)
        result: End = event
        return result

    async def _failure(self, view: View) -> RunFailed:
        status = self._client.follower.status(view)
        step = next((s for s in status.owed if s.parked), None)
        if step is None:
            return RunFailed(f"run '{self.id}' has a parked step", "", "", "")
        entry = next((e for e in view.entries if text(e.envelope.id) == step.parked), None)
        if entry is None or entry.envelope.kind != Kind.FAILURE:
            return RunFailed(
                f"run '{self.id}': {step.reactor} joins events, and holds more unmatched ones than the log allows "
                f"(then: {self._command_line('retry')})",
                step.reactor,
                "",
                "",
            )
        (record,) = await self._records(view, [entry.offset])
        try:
            content = self._client.failure(record)
        except UndecodableValue as e:
            return RunFailed(
                f"run '{self.id}': {step.reactor} failed for good after {step.attempts} attempts; its error cannot be "
                f"read here: {e}",
                step.reactor,
                "",
                "",
            )
        return RunFailed(
            f"run '{self.id}': {step.reactor} failed for good after {step.attempts} attempt{'s'[: step.attempts != 1]}: "
            f"{content['error']}: {content['message']} (mend it, then: {self._command_line('retry')})",
            step.reactor,
            content["message"],
            content["traceback"],
        )

    async def _doing(self) -> str:
        try:
            async with asyncio.timeout(5):
                status = await self.status()
        except Exception:
            return "its state cannot be read now"
        if status.status == "absent":
            return "no such run was started, or it was closed long ago"
        owed = ", ".join(f"{s.reactor}{f' (attempt {s.attempts + 1})' if s.attempts else ''}" for s in status.owed[:5])
        idle = f" (no worker of {', '.join(status.without_worker)} is alive)" if status.without_worker else ""
        return f"it is {status.status}" + (f" and owes {owed}{idle}" if owed else "")

    async def _recorded(self, entry: Entry, view: View) -> list[Recorded]:
        types = self._client.scribe.types
        facts = [fact for fact in entry.admitted if types.type_of(text(fact.type)) is not None]
        if not facts:
            return []
        records = await self._records(view, [fact.offset for fact in facts])
        by_offset = {record.offset: record for record in records}
        found = []
        for fact in facts:
            record = by_offset[fact.offset]
            event = await self._client.decode(record)
            found.append(
                Recorded(
                    event,
                    fact.type.decode(),
                    datetime.fromtimestamp(record.time / 1000, UTC),
                    entry.envelope.reactor.decode(),
                    record.offset,
                    fact.id.decode(),
                    self.id,
                )
            )
        return found

    async def _watched(self) -> View:
        self._view = await self._client.follower.view(self._key)
        return self._view

    async def _records(self, view: View, offsets: Sequence[int]) -> Sequence[Stored]:
        at_hand = [view.record_at(offset) for offset in offsets]
        found = [record for record in at_hand if record is not None]
        if len(found) < len(offsets):
            read = await self._client.store.fetch(view.partition, sorted(offsets))
            by_offset = {record.offset: record for record in read}
            found = [by_offset[offset] for offset in offsets]
        return found

    def _command_line(self, verb: str) -> str:
        return command_line(verb, self.id, self._client.scribe.choreography, self._client.store.url)

    async def _control(self, kind: Kind, content: dict[str, str], verb: str) -> None:
        record = self._client.scribe.command(kind, self._key, content, self._client.not_after("10m"))
        await self._command(record, verb, True)

    async def _command(self, record: Record, verb: str, confirm: bool) -> None:
        client = self._client
        await client.append(self._key, record)
        if not confirm:
            return
        verdict = await self._verdict(dict(record.headers)["ce_id"])
        if verdict is not Verdict.ADMITTED:
            why = _STANDS.get(verb) if verdict is Verdict.NO_CHANGE else _WHY.get(verdict)
            raise CommandRefused(f"run '{self.id}' refused {verb}: {why or verdict.name}", verdict)

    async def _verdict(self, event_id: bytes) -> Verdict:
        view = await self._watched()
        while (verdict := view.verdict(event_id)) is None:
            await view.changed()
        return verdict


_STANDS = {"pause": "it is paused already", "resume": "it is not paused"}
_WHY = {
    Verdict.NO_RUN: "there is no such open run: it was never started, or it is closed",
    Verdict.RUN_ENDING: "it has its result already",
    Verdict.TOO_LATE: "it came to the log after the time within which it may act",
    Verdict.TOO_FAR: "the time within which it may act is longer than the log allows (a week)",
    Verdict.REPEATED: "it was taken before",
    Verdict.NOT_PARKED: "that step is not parked: somebody else retried it, or it is done",
    Verdict.MISROUTED: "it was sent to the wrong partition",
    Verdict.NOT_PENDING: "it waits for that no longer, or never did",
    Verdict.OTHER_SUBJECT: "what is decided on is something else by now; look at it again",
    Verdict.NOT_OFFERED: "that answer is not among those to choose from",
}
