"""The query client: questions about the runs of one choreography, answered from the tables."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, Literal, TypeVar

from sqlalchemy import Connection, FromClause, RowMapping, Select, func, select, tuple_

from farandole.projections.runs import tables as t

from . import causation, details, governing, kin, people, searching
from .answers import (
    Answer,
    ChildRow,
    DecisionRow,
    DueRow,
    FailureGroup,
    FailureRow,
    Freshness,
    RecordRow,
    RunRow,
    RunThen,
    StepRow,
    TimerRow,
    row_of,
)
from .causation import CauseGraph
from .comparing import MOST as MOST_COMPARED
from .comparing import RunDiff, compare
from .filters import Where
from .kin import Family
from .pages import MOST, cursor_of, cut, limited, named_place_in, passed, place_in
from .people import ActRow
from .standing import Standing, page_of
from .waiting import WaitingGroup, waiting

_T = TypeVar("_T")
EVERYTHING: Final = Where()


class Runs(Standing):
    """Answers questions. Each answer is of one state of the tables, and says which.

    Every question takes ``min_position``: by partition, positions at or beyond which the tables must be. So whoever has
    just written to the log finds it.

    Args:
        database: see `open`.
        choreography: that of the tables.
        patience: seconds that a question waits for ``min_position``.
    """

    # ── runs ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    async def get(self, run_id: str, *, min_position: Mapping[int, int] | None = None) -> Answer[RunRow | None]:
        """The run of this id; of several that had it one after the other, the last one."""
        return await self.ask(lambda c: details.run_of(c, run_id), min_position)

    async def list(
        self,
        where: Where = EVERYTHING,
        *,
        order: Literal["touched", "started"] = "touched",
        oldest_first: bool = False,
        limit: int = 50,
        cursor: str | None = None,
        min_position: Mapping[int, int] | None = None,
    ) -> Answer[tuple[RunRow, ...]]:
        """Runs, those that moved or began last first.

        A run that moves while pages are turned stands further in front than it did, and not on a later page again.

        Args:
            order: by when they moved last, or began.
            oldest_first: those that moved or began first come first: of open runs, those that stand longest. One that moves
                while pages are turned comes once more, on a later page.

        Raises:
            UnknownCursor: the cursor is of another question.
        """
        limit = limited(limit)
        by = t.runs.c[order]
        key = tuple_(by, t.runs.c.partition, t.runs.c.run)
        beyond = []
        if cursor is not None:
            place = tuple_(*place_in(cursor, 3))
            beyond = [key > place if oldest_first else key < place]

        def ask(connection: Connection) -> tuple[RunRow, ...]:
            rows: Sequence[RowMapping] | None = None
            if searching.best_one_by_one(connection, where, limit):
                rows = searching.in_time(connection, page(where, one_by_one=True))
            if rows is None:
                rows = connection.execute(page(where)).mappings().all()
            return tuple(row_of(RunRow, row) for row in rows)

        def page(where: Where, *, one_by_one: bool = False) -> Select[Any]:
            those = where.conditions(self.database.dialect, self.choreography, one_by_one=one_by_one)
            query: Select[Any] = select(t.runs).where(*those, *beyond)
            found: FromClause = t.runs
            if where.says and not one_by_one:
                query = select(found := searching.apart(query))
            c = found.c
            keys = (c[order], c.partition, c.run)
            return query.order_by(*(keys if oldest_first else (each.desc() for each in keys))).limit(limit + 1)

        answer = await self.ask(ask, min_position)
        found, more = answer.found[:limit], len(answer.found) > limit
        last = found[-1] if more else None
        next_ = None if last is None else cursor_of(getattr(last, order), last.partition, last.run)
        return Answer(found, answer.fresh, next_)

    async def counts(
        self, where: Where = EVERYTHING, *, min_position: Mapping[int, int] | None = None
    ) -> Answer[Mapping[str, int]]:
        """How many runs there are, by status."""
        conditions = where.conditions(self.database.dialect, self.choreography)
        query: Select[Any] = select(t.standings).where(t.standings.c.runs > 0)
        if conditions:
            query = select(t.runs.c.status, func.count()).where(*conditions).group_by(t.runs.c.status)

        def ask(connection: Connection) -> Mapping[str, int]:
            return {row[0]: row[1] for row in connection.execute(query)}

        return await self.ask(ask, min_position)

    async def waiting(
        self, *, each: int = 50, min_position: Mapping[int, int] | None = None
    ) -> Answer[tuple[WaitingGroup, ...]]:
        """Open runs by what they wait for in the first place, counted, with those of each group that stand longest.

        `list` tells the rest: ``list(Where(waits_for="people"), oldest_first=True, cursor=…)``.

        Args:
            each: so many runs of each group, 500 at most.
        """
        return await self.ask(lambda c: waiting(c, max(0, min(each, MOST))), min_position)

    # ── one run ──────────────────────────────────────────────────────────────────────────────────────────────────────

    async def history(
        self,
        run_id: str,
        *,
        everything: bool = False,
        personal: bool = False,
        limit: int = MOST,
        cursor: str | None = None,
        min_position: Mapping[int, int] | None = None,
    ) -> Answer[tuple[RecordRow, ...]]:
        """The events of a run in the order of admission.

        Args:
            everything: all its records in the order of the log, commands, claims and refused ones too.
            personal: with what is personal in their payloads.
        """
        limit = limited(limit)
        place = None if cursor is None else place_in(cursor, 2)
        answer = await self.ask(
            lambda c: details.history(c, run_id, everything, personal, limit + 1, place), min_position
        )
        found = answer.found[:limit]
        next_ = None
        if len(answer.found) > limit:
            last = found[-1]
            next_ = cursor_of(last.log_offset, 0) if everything else cursor_of(last.admitted, last.place)
        return Answer(found, answer.fresh, next_)

    async def state_at(
        self,
        run_id: str,
        *,
        offset: int | None = None,
        at: int | None = None,
        personal: bool = False,
        min_position: Mapping[int, int] | None = None,
    ) -> Answer[RunThen | None]:
        """A run as it was after the record at an offset, or at a log time: the last 500 events of its history until then, and
        what was open, at most 1,000 of each kind; `RunThen.whole` says whether that is all.
        """
        return await self.ask(lambda c: details.state_at(c, run_id, offset, at, personal), min_position)

    async def steps(
        self,
        run_id: str,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        min_position: Mapping[int, int] | None = None,
    ) -> Answer[tuple[StepRow, ...]]:
        """The steps of a run, the oldest first; without a limit, all of them."""
        return await self._of_run(StepRow, t.steps, run_id, t.steps.c.owed_at, limit, cursor, min_position)

    async def timers(
        self,
        run_id: str,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        min_position: Mapping[int, int] | None = None,
    ) -> Answer[tuple[TimerRow, ...]]:
        """The timers of a run, that which is due first first; without a limit, all of them."""
        return await self._of_run(TimerRow, t.timers, run_id, t.timers.c.due, limit, cursor, min_position)

    async def children(
        self,
        run_id: str,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        min_position: Mapping[int, int] | None = None,
    ) -> Answer[tuple[ChildRow, ...]]:
        """Runs that a run started, in their order; without a limit, all of them."""
        return await self._of_run(ChildRow, t.children, run_id, t.children.c.log_offset, limit, cursor, min_position)

    async def failures(
        self,
        run_id: str,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        min_position: Mapping[int, int] | None = None,
    ) -> Answer[tuple[FailureRow, ...]]:
        """Attempts of a run that failed, in their order; without a limit, all of them."""
        return await self._of_run(FailureRow, t.failures, run_id, t.failures.c.log_offset, limit, cursor, min_position)

    async def graph(self, run_id: str, *, min_position: Mapping[int, int] | None = None) -> Answer[CauseGraph | None]:
        """What came of what in a run: events, failures, and steps that are owed or parked."""
        return await self.ask(lambda c: causation.causation(c, run_id), min_position)

    async def family(self, run_id: str, *, min_position: Mapping[int, int] | None = None) -> Answer[Family | None]:
        """All runs that a run belongs with, parents before their children."""
        return await self.ask(lambda c: kin.family(c, self.choreography, run_id), min_position)

    async def diff(
        self, a: str, b: str, *, personal: bool = False, min_position: Mapping[int, int] | None = None
    ) -> Answer[RunDiff | None]:
        """Two runs side by side, as far as their first events go; None if one of them is not there."""

        def ask(connection: Connection) -> RunDiff | None:
            runs = [details.run_of(connection, run_id) for run_id in (a, b)]
            events = [details.history(connection, each, False, personal, MOST_COMPARED, None) for each in (a, b)]
            return None if runs[0] is None or runs[1] is None else compare(runs[0], runs[1], events[0], events[1])

        return await self.ask(ask, min_position)

    # ── across runs ──────────────────────────────────────────────────────────────────────────────────────────────────

    async def decisions(
        self,
        *,
        state: Collection[str] = ("open",),
        run_id: str | None = None,
        id: str | None = None,
        to: Collection[str] = (),
        limit: int = MOST,
        cursor: str | None = None,
        min_position: Mapping[int, int] | None = None,
    ) -> Answer[tuple[DecisionRow, ...]]:
        """Questions to people, the oldest first.

        Args:
            to: asked of one of these, or of everybody.
        """
        limit = limited(limit)
        place = None if cursor is None else place_in(cursor, 3)
        answer = await self.ask(lambda c: details.decisions(c, state, run_id, to, limit + 1, place, id), min_position)
        return page_of(answer, limit, lambda last: cursor_of(last.since or 0, last.partition, last.log_offset))

    async def causes(
        self,
        *,
        fingerprint: str | None = None,
        limit: int = 100,
        cursor: str | None = None,
        min_position: Mapping[int, int] | None = None,
    ) -> Answer[tuple[FailureGroup, ...]]:
        """Failures by cause, those that park the most steps first.

        A cause that parks more while pages are turned stands further in front than it did, and not on a later page again.

        Raises:
            UnknownCursor: the cursor is of another question.
        """
        limit = limited(limit)
        place = None if cursor is None else named_place_in(cursor, 2, 2)
        answer = await self.ask(lambda c: details.causes(c, limit + 1, place, fingerprint), min_position)
        return page_of(answer, limit, lambda last: cursor_of(last.parked, last.last, last.fingerprint, last.reactor))

    async def due(
        self, *, limit: int = MOST, cursor: str | None = None, min_position: Mapping[int, int] | None = None
    ) -> Answer[tuple[DueRow, ...]]:
        """Timers of all runs that are set, that which is due first first."""
        limit = limited(limit)
        place = None if cursor is None else place_in(cursor, 3)
        answer = await self.ask(lambda c: governing.due(c, limit + 1, place), min_position)
        return page_of(answer, limit, lambda last: cursor_of(last.due, last.partition, last.log_offset))

    async def acts(
        self,
        *,
        by: str | None = None,
        kind: Collection[str] = (),
        run_id: str | None = None,
        since: int | None = None,
        upto: int | None = None,
        programs: bool = False,
        limit: int = 100,
        cursor: str | None = None,
        min_position: Mapping[int, int] | None = None,
    ) -> Answer[tuple[ActRow, ...]]:
        """What people did, the newest first: records that say who is behind them.

        Args:
            kind: of records, as ``cancel``; none: all.
            since, upto: log times, the latter left out.
            programs: what programs did that named nobody, too; child runs and ticks that came of themselves are no acts.
        """
        limit = limited(limit)
        place = None if cursor is None else place_in(cursor, 3)
        answer = await self.ask(
            lambda c: people.acts(c, by, kind, run_id, since, upto, limit + 1, place, programs), min_position
        )
        return page_of(answer, limit, lambda last: cursor_of(last.at, last.partition, last.log_offset))

    async def _of_run(
        self, cls: type[_T], table: Any, run_id: str, by: Any, limit: int | None, cursor: str | None,
        wanted: Mapping[int, int] | None,
    ) -> Answer[tuple[_T, ...]]:  # fmt: skip
        limit = None if limit is None else limited(limit)
        before, most = passed(cursor), None if limit is None else limit + 1
        answer = await self.ask(lambda c: details.of_run(c, cls, table, run_id, by, most, before), wanted)
        return Answer(*_cut(answer, limit, before))


def _cut(
    answer: Answer[tuple[_T, ...]], limit: int | None, before: int
) -> tuple[tuple[_T, ...], Freshness, str | None]:
    found, next_ = cut(answer.found, limit, before)
    return found, answer.fresh, next_
