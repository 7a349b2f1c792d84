"""The result of a run, for whoever waits for it."""

import asyncio
from datetime import timedelta
from typing import Any, Literal, overload

from typing_extensions import TypeVar

from farandole.projections.fold import Result, Verdict
from farandole.schemas import End, UndecodableValue, acquaint, event_info, parse_duration, system_records
from farandole.schemas.envelope import Kind, unpack

from .errors import CommandRefused, RunCancelled, RunExpired, RunFailed, UnexpectedEnd
from .refusals import WHY
from .shown import text
from .view import View
from .watched import WatchedRun

A = TypeVar("A", bound=End)
B = TypeVar("B", bound=End)
C = TypeVar("C", bound=End)

Duration = str | timedelta | float


class RunResult(WatchedRun):
    """Waits for the end of one run."""

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
            RunExpired: it was not done by its deadline, or was idle or failed for too long.
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
                        await acquaint(self._client.store.catalogue, self._client.scribe.types, end, reads=True)
                return await self._result(ends, on_parked)
        except TimeoutError:
            view = self._view
            if view is not None and view.run is not None and view.run.result is not Result.NONE and self._is_ours(view):
                # It came while nobody could look, as when a handler in this process blocked the event loop.
                return await self._ended(view, ends)
            raise TimeoutError(f"run '{self.id}' has no result after {timeout}: {await self._doing()}") from None

    async def _result(self, ends: tuple[type[End], ...], on_parked: str) -> End:
        view = await self._from_the_start(on_parked) or await self._watched()
        while True:
            run = view.run
            if run is not None and run.result is not Result.NONE:
                return await self._ended(view, ends)
            await self._or_stuck(view, on_parked)
            # A run may have thousands of records, and each would take the task that waits a turn of the event loop.
            await view.until(lambda: self._over(view) or self._stuck(view, on_parked))

    async def _from_the_start(self, on_parked: str) -> View | None:
        """Wait for the result of a run that was watched from our own start on; None if there is more to be asked.

        Where the log ends does not matter to what is final, and to ask for it takes two requests to a broker.
        """
        view = None if self._start_id is None else self._client.follower.watched(self._key)
        if view is None:
            return None
        self._view = view
        await view.until(
            lambda: (
                not view.whole
                or ((self._over(view) or self._stuck(view, on_parked) or view.before_us) and self._is_ours(view))
            )
        )
        return view if view.whole and view.run is not None and view.run.result is not Result.NONE else None

    def _is_ours(self, view: View) -> bool:
        """Whether our start was read, so that what is known is not of an earlier run of this id that is forgotten by now."""
        return self._start_id is None or not view.whole or view.verdict(self._start_id) is not None

    def _over(self, view: View) -> bool:
        """Whether there is a result, or never will be."""
        run = view.run
        if run is not None:
            return run.result is not Result.NONE
        return self._start_id is not None and view.verdict(self._start_id) is Verdict.TOO_LATE

    def _stuck(self, view: View, on_parked: str) -> bool:
        return view.run is not None and view.run.parked > 0 and on_parked != "wait"

    async def _or_stuck(self, view: View, on_parked: str) -> None:
        """Raise what keeps the run from going on, if anything does."""
        if self._stuck(view, on_parked):
            raise await self._failure(view)
        if view.run is None and self._over(view):
            raise CommandRefused(f"run '{self.id}' was not started: {WHY[Verdict.TOO_LATE]}", Verdict.TOO_LATE)

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
            if unpack(record.headers).kind == Kind.EXPIRY:
                raise RunExpired(f"run '{self.id}' was not done by its deadline")
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
        if not view.whole:
            view = await self._whole()
        entry = next((e for e in view.entries if text(e.envelope.id) == step.parked), None)
        if entry is None or entry.envelope.kind not in (Kind.FAILURE, Kind.LOST):
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
                f"run '{self.id}': {step.reactor} failed for good after {step.spent}; its error cannot be "
                f"read here: {e}",
                step.reactor,
                "",
                "",
            )
        return RunFailed(
            f"run '{self.id}': {step.reactor} failed for good after {step.spent}: "
            f"{content['error'].rpartition('.')[2]}: {content['message']} (mend it, then: {self._command_line('retry')})",
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
