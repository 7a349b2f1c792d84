"""Questions about what is at work: services, reactors, schedules, policies, projections, and what models used."""

from collections.abc import Callable, Collection, Mapping
from typing import TypeVar

from . import governing, spending
from .answers import (
    Answer,
    MinuteRow,
    PolicyRow,
    ReactorRow,
    ScheduleRow,
    ServiceRow,
)
from .asking import Asking
from .figures import Figures, figures
from .pages import cursor_of, passed
from .projections import ProjectionRow, projections
from .spending import By, UsageRow

_T = TypeVar("_T")


class Standing(Asking):
    """The part of `Runs` that is about what is at work."""

    async def services(
        self, *, minutes: int = 5, min_position: Mapping[int, int] | None = None
    ) -> Answer[tuple[ServiceRow, ...]]:
        """Services, by the contracts in force, what they owe, how far they are behind, and what they did in the last minutes of
        log time.
        """
        return await self.ask(lambda c: governing.services(c, minutes), min_position)

    async def reactors(
        self, *, minutes: int = 5, min_position: Mapping[int, int] | None = None
    ) -> Answer[tuple[ReactorRow, ...]]:
        """Reactors, what is owed to them, how far they are behind, and what they did in the last minutes of log time."""
        return await self.ask(lambda c: governing.reactors(c, minutes), min_position)

    async def minutes(
        self,
        since: int,
        upto: int | None = None,
        *,
        reactor: str | None = None,
        min_position: Mapping[int, int] | None = None,
    ) -> Answer[tuple[MinuteRow, ...]]:
        """What reactors did, minute by minute of a day at most.

        Args:
            since, upto: log times, the latter left out; without it, up to the newest record.

        Raises:
            TooWide: it is more than a day.
        """
        return await self.ask(lambda c: governing.minutes(c, since, upto, reactor), min_position)

    async def usage(
        self,
        *,
        by: Collection[By] = ("agent", "model"),
        since: int | None = None,
        upto: int | None = None,
        agent: str | None = None,
        model: str | None = None,
        run_id: str | None = None,
        children: bool = False,
        limit: int = spending.MOST,
        cursor: str | None = None,
        min_position: Mapping[int, int] | None = None,
    ) -> Answer[tuple[UsageRow, ...]]:
        """What was used of models and what it cost, those that cost most first; by days, the newest day first.

        Args:
            by: what is summed up by: ``day`` (of UTC), ``agent``, ``model``, ``run``; nothing: one sum.
            since, upto: log times, the latter left out.
            run_id: of this run alone; of several that had the id one after the other, the last one.
            children: of the runs that it started, and those started, too, as far as they are of this choreography.
            limit: so many rows at most.
            cursor: what the page before said is next; a row that changes meanwhile may be on both pages or on none.

        Raises:
            UnknownGrouping: by something else.
        """
        limit, past = max(1, min(limit, spending.MOST)), passed(cursor)
        answer = await self.ask(
            lambda c: spending.usage(
                c, self.choreography, by=by, since=since, upto=upto, agent=agent, model=model, run_id=run_id, children=children,
                limit=limit + 1, past=past,
            ), min_position)  # fmt: skip
        return page_of(answer, limit, lambda _: cursor_of(past + limit))

    async def schedules(self, *, min_position: Mapping[int, int] | None = None) -> Answer[tuple[ScheduleRow, ...]]:
        """Schedules that have ticked, by name. What a schedule says of itself is in the catalogue of the log."""
        return await self.ask(governing.schedules, min_position)

    async def policies(self, *, min_position: Mapping[int, int] | None = None) -> Answer[tuple[PolicyRow, ...]]:
        """Kill switches, those that are off again too."""
        return await self.ask(governing.policies, min_position)

    async def projections(self, *, min_position: Mapping[int, int] | None = None) -> Answer[tuple[ProjectionRow, ...]]:
        """Projections that apps declare and that are kept beside these tables, by name, whoever keeps them."""
        return await self.ask(lambda c: projections(c, self.database.schema), min_position)

    async def figures(self, *, min_position: Mapping[int, int] | None = None) -> Answer[Figures]:
        """How the log stands: open runs by status, and what is owed to each reactor."""
        return await self.ask(figures, min_position)


def page_of(answer: Answer[tuple[_T, ...]], limit: int, place: Callable[[_T], str]) -> Answer[tuple[_T, ...]]:
    """A page of rows of which one more than it has was asked for."""
    found = answer.found[:limit]
    return Answer(found, answer.fresh, place(found[-1]) if len(answer.found) > limit else None)
