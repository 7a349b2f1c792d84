"""What one run asks people, for whoever looks or waits for it."""

import asyncio
from typing import Literal

from farandole.projections.fold import Result
from farandole.schemas import Answer, acquaint, event_info, parse_duration

from .decisions import DecisionView, pending_decisions
from .errors import UnexpectedEnd
from .results import Duration, RunResult
from .shown import text
from .view import View


class RunDecisions(RunResult):
    """The questions of one run."""

    async def decisions(self) -> list[DecisionView]:
        """What the run asks people, the oldest question first.

        Raises:
            StoreError: the log cannot be read.
        """
        return await pending_decisions(self._client, self.id)

    async def decision(
        self,
        *answers: type[Answer],
        timeout: Duration | None = None,
        on_parked: Literal["raise", "wait"] = "raise",
    ) -> DecisionView:
        """Wait until the run asks people something; the oldest question, if it asks several.

        Args:
            answers: only a question that offers all of these; none: any question.
            timeout: how long to wait at most.
            on_parked: ``wait``: a parked step may still be retried, go on waiting.

        Raises:
            UnexpectedEnd: the run has ended, and asks nothing more; the end is in the error.
            RunCancelled: it was cancelled.
            RunExpired: it was not done by its deadline, or was idle or failed for too long.
            RunFailed: a step is parked.
            TimeoutError: it asked nothing in time; says what the run is doing.
        """
        for answer in answers:
            if not (isinstance(answer, type) and issubclass(answer, Answer)):
                raise TypeError(f"run.decision takes the answers that it offers; {answer!r} is no Answer")
        client = self._client
        seconds = None if timeout is None else parse_duration(timeout).total_seconds()
        try:
            async with asyncio.timeout(seconds):
                for answer in answers:
                    await acquaint(client.store.catalogue, client.scribe.types, answer)
                return await self._decision(
                    frozenset(f"{client.scribe.choreography}.{event_info(a).name}" for a in answers), on_parked
                )
        except TimeoutError:
            raise TimeoutError(f"run '{self.id}' asks nothing such after {timeout}: {await self._doing()}") from None

    async def _decision(self, answers: frozenset[str], on_parked: str) -> DecisionView:
        view = await self._watched()
        while True:
            if wanted := _offering(view, answers):
                for found in await self.decisions():
                    if found.id in wanted:
                        return found
                continue  # it was answered meanwhile
            if view.run is not None and view.run.result is not Result.NONE:
                end = await self._ended(view, ())
                raise UnexpectedEnd(f"run '{self.id}' ended with {type(end).__name__}, and asks nothing more", end)
            await self._or_stuck(view, on_parked)
            await view.changed()


def _offering(view: View, answers: frozenset[str]) -> set[str]:
    """The ids of decisions that the run waits for and that offer these answers."""
    pending = view.run.pending if view.run is not None else None
    decisions = pending.decisions if pending is not None else None
    return {text(d.id) for d in (decisions or {}).values() if answers <= {text(name) for name in d.answers}}
