"""A run as a client sees it."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Sequence
from contextlib import aclosing
from typing import Final

from farandole.eventstore import Record
from farandole.projections.fold import PendingChild, Verdict
from farandole.projections.recorded import Recorded, recorded
from farandole.schemas import Answer, Event, Signal, acquaint
from farandole.schemas.envelope import Kind

from .asked import RunDecisions
from .decisions import DecisionView, chosen
from .edited import edited
from .errors import CommandRefused
from .live import Live
from .live.looking import look
from .progress import StepProgress, last_told, progress_in, step_of
from .refusals import STANDS, WHY
from .results import Duration
from .shown import text
from .view import Entry, View

_MOST_NAME: Final = 255
"""Bytes of the name of who answers."""


class RunHandle(RunDecisions):
    """One run, for whoever starts it, sends to it, waits for it or looks after it. Made by `Client.start` and `run`."""

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

    async def decide(
        self,
        decision: DecisionView | str | None,
        answer: Answer,
        *,
        by: str,
        via: str = "",
        within: Duration = "10m",
    ) -> None:
        """Answer a question of the run. With a quorum above 1 it is a vote.

        Args:
            decision: what the answer is to, as it was looked at; or its id; None: the only one there is.
            by: who answers; the answer's ``by`` becomes this. It is taken at your word.
            via: where the answer came from, for the record.
            within: it may act for so long from now; a copy that comes later never acts.

        Raises:
            CommandRefused: it was decided already, its time is over, or it is about something else or offers other
                answers; or this person answered before.
            AppendError: it could not be appended.
        """
        if not isinstance(answer, Answer):
            raise TypeError(f"run.decide takes an Answer; {type(answer).__name__} is of another kind")
        if len(by.encode()) > _MOST_NAME:
            raise ValueError(f"by= has at most {_MOST_NAME} bytes of UTF-8")
        client = self._client
        pending = [] if isinstance(decision, DecisionView) else await self.decisions()
        view = chosen(pending, decision, self.id)
        await acquaint(client.store.catalogue, client.scribe.types, type(answer))
        answer = answer.model_copy(update={"by": by})
        record = client.scribe.answer(self._key, answer, client.not_after(within), view.id.encode(), view.hash, by, via)
        await self._command(record, type(answer).__name__, True)

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

    async def retry(
        self,
        why: str = "",
        *,
        by: str = "",
        reactor: str | None = None,
        failure: str | None = None,
        edit: Event | None = None,
    ) -> int:
        """Make the run's parked steps owed again; their attempts count on.

        Args:
            reactor: only those of this reactor.
            failure: only those that this failure parked, by its id.
            edit: an event that one parked step takes instead of the one of its type that it took. The run's history
                stays as it is, and the step's attempts begin anew.

        Returns:
            How many steps are owed again.

        Raises:
            CommandRefused: no step is parked, or none that took an event of the type of ``edit``.
            ValueError: several parked steps took one; name the reactor.
        """
        status = await self.status()
        parked = [s for s in status.owed if s.parked and reactor in (None, s.reactor) and failure in (None, s.parked)]
        if edit is not None:
            await self._command(await edited(self._client, self.id, parked, edit, why, by), "retry", True)
            return 1
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

    async def children(self) -> Sequence[PendingChild]:
        """The child runs that it waits for."""
        return (await self.status()).children

    async def progress(self) -> list[StepProgress]:
        """How far the steps at work say that they have come, each as it was told last (`Step.progress`).

        Of a run that began before the newest checkpoint only what was told after it is known.
        """
        view = await self._watched()
        told, owed = last_told(view), self._client.follower.status(view).owed
        entries = [told[key] for key in map(step_of, owed) if key in told]
        records = await self._records(view, [entry.offset for entry in entries])
        found = [progress_in(self._client.scribe.types, record) for record in records]
        return [said for said in found if said is not None]

    async def history(self) -> list[Entry]:
        """Every record of the run, refused ones included, in the order of the log."""
        view = await self._whole()
        return list(view.entries)

    async def events(self, *, live: bool = True) -> AsyncIterator[Recorded]:
        """The run's events, from its start; then, if ``live``, those to come, until the run is closed.

        Events of types that this process does not declare are left out; `Choreography.know` makes them known.
        """
        view = await self._whole()
        seen = 0
        while True:
            while seen < len(view.entries):
                entry = view.entries[seen]
                seen += 1
                for each in await self._recorded(entry, view):
                    yield each
            if not live or (view.run is not None and view.run.state.name == "CLOSED"):
                return
            await view.changed()

    async def live(self, *, after: int = -1) -> AsyncGenerator[Recorded | Live, None]:
        """The run as it goes, until it is closed: its events, from its start, and what its steps say while they work.

        Whoever looks on late has it whole: what is done is told by its events, and what a step at work has said so far by
        its pieces from the first on. No piece of a step comes behind the event that the step ended with. A piece with
        ``anew`` begins a take: what the step was heard to say before, in an attempt that failed or in other hands, holds
        no longer. Pieces are best effort; events are all there.

        Args:
            after: leave out events up to this offset, as one who comes back has them already.

        Raises:
            StoreError: the log cannot be read.
        """
        async with aclosing(look(self, after)) as looking:
            async for each in looking:
                yield each

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
            found.append(recorded(await self._client.decode(record), fact, record, entry.envelope, self.id))
        return found

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
            why = STANDS.get(verb) if verdict is Verdict.NO_CHANGE else WHY.get(verdict)
            raise CommandRefused(f"run '{self.id}' refused {verb}: {why or verdict.name}", verdict)

    async def _verdict(self, event_id: bytes) -> Verdict:
        # Where the log ends does not matter to one record of ours, which is watched for.
        view = self._view = self._client.follower.watched(self._key) or await self._watched()
        if not view.whole and view.verdict(event_id) is None:
            # All that was in the log when we asked was read: it stands before the checkpoint.
            view = await self._whole()
        while (verdict := view.verdict(event_id)) is None:
            await view.until(lambda: not view.whole or view.verdict(event_id) is not None)
            if not view.whole:
                return await self._verdict(event_id)
        return verdict
