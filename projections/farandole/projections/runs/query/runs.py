"""The query client: questions about the runs of one choreography, answered from the tables."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final, Literal, TypeVar

from sqlalchemy import Connection, Select, func, select, tuple_

from farandole.projections.runs import tables as t
from farandole.projections.runs.tablespace import has_tables, schema_of
from farandole.projections.sql import Database, DatabaseError, DatabaseMisconfigured

from . import details, governing
from .answers import (
    Answer,
    ChildRow,
    DecisionRow,
    FailureGroup,
    FailureRow,
    Freshness,
    MinuteRow,
    PolicyRow,
    ReactorRow,
    RecordRow,
    RunRow,
    RunThen,
    ScheduleRow,
    StepRow,
    TimerRow,
    row_of,
)
from .filters import Where
from .pages import MOST, cursor_of, place_in

_T = TypeVar("_T")
_LOOK: Final = 0.02
_SLOWEST_LOOK: Final = 0.25
EVERYTHING: Final = Where()


class Behind(DatabaseError):
    """The tables have not come to where they were wanted in time: no projector is at work, or it is far behind."""


class Runs:
    """Answers questions. Each answer is of one state of the tables, and says which.

    Every question takes ``min_position``: by partition, positions at or beyond which the tables must be. So whoever has
    just written to the log finds it.

    Args:
        database: see `open`.
        choreography: that of the tables.
        patience: seconds that a question waits for ``min_position``.
    """

    def __init__(self, database: Database, choreography: str, *, patience: float = 10.0) -> None:
        self.database = database
        self.choreography = choreography
        self._patience = patience

    @classmethod
    async def open(cls, url: str, choreography: str, *, patience: float = 10.0) -> "Runs":
        """Open the tables of a choreography.

        Args:
            url: as a projector was given it.

        Raises:
            DatabaseMisconfigured: there are none.
            DatabaseUnavailable: the database cannot be reached.
        """
        found = cls(Database(url, schema_of(choreography)), choreography, patience=patience)

        def look() -> bool:
            with found.database.reading() as connection:
                return has_tables(found.database, connection)

        if not await asyncio.to_thread(look):
            found.database.close()
            raise DatabaseMisconfigured(f"{found.database.url} has no tables of runs: start a projector first")
        return found

    async def close(self) -> None:
        """Let go of all connections."""
        await asyncio.to_thread(self.database.close)

    async def __aenter__(self) -> "Runs":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    # ── runs ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    async def get(self, run_id: str, *, min_position: Mapping[int, int] | None = None) -> Answer[RunRow | None]:
        """The run of this id; of several that had it one after the other, the last one."""
        return await self._ask(lambda c: details.run_of(c, run_id), min_position)

    async def list(
        self,
        where: Where = EVERYTHING,
        *,
        order: Literal["touched", "started"] = "touched",
        limit: int = 50,
        cursor: str | None = None,
        min_position: Mapping[int, int] | None = None,
    ) -> Answer[tuple[RunRow, ...]]:
        """Runs, those that moved or began last first.

        A run that moves while pages are turned stands further in front than it did, and not on a later page again.

        Raises:
            UnknownCursor: the cursor is of another question.
        """
        limit = max(1, min(limit, MOST))
        by = t.runs.c[order]
        key = tuple_(by, t.runs.c.partition, t.runs.c.run)
        query: Select[Any] = select(t.runs).where(*where.conditions(self.database.dialect, self.choreography))
        if cursor is not None:
            query = query.where(key < tuple_(*place_in(cursor, 3)))
        query = query.order_by(by.desc(), t.runs.c.partition.desc(), t.runs.c.run.desc()).limit(limit + 1)

        def ask(connection: Connection) -> tuple[RunRow, ...]:
            return tuple(row_of(RunRow, row) for row in connection.execute(query).mappings())

        answer = await self._ask(ask, min_position)
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

        return await self._ask(ask, min_position)

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
        limit = max(1, min(limit, MOST))
        place = None if cursor is None else place_in(cursor, 2)
        answer = await self._ask(
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
        """A run as it was after the record at an offset, or at a log time: its history until then, and what was open."""
        return await self._ask(lambda c: details.state_at(c, run_id, offset, at, personal), min_position)

    async def steps(self, run_id: str, *, min_position: Mapping[int, int] | None = None) -> Answer[tuple[StepRow, ...]]:
        """All steps of a run, the oldest first."""
        return await self._ask(lambda c: details.of_run(c, StepRow, t.steps, run_id, t.steps.c.owed_at), min_position)

    async def timers(
        self, run_id: str, *, min_position: Mapping[int, int] | None = None
    ) -> Answer[tuple[TimerRow, ...]]:
        """All timers of a run, that which is due first first."""
        return await self._ask(lambda c: details.of_run(c, TimerRow, t.timers, run_id, t.timers.c.due), min_position)

    async def children(
        self, run_id: str, *, min_position: Mapping[int, int] | None = None
    ) -> Answer[tuple[ChildRow, ...]]:
        """All runs that a run started, in their order."""
        by = t.children.c.log_offset
        return await self._ask(lambda c: details.of_run(c, ChildRow, t.children, run_id, by), min_position)

    async def failures(
        self, run_id: str, *, min_position: Mapping[int, int] | None = None
    ) -> Answer[tuple[FailureRow, ...]]:
        """All attempts of a run that failed, in their order."""
        by = t.failures.c.log_offset
        return await self._ask(lambda c: details.of_run(c, FailureRow, t.failures, run_id, by), min_position)

    # ── across runs ──────────────────────────────────────────────────────────────────────────────────────────────────

    async def decisions(
        self,
        *,
        state: Collection[str] = ("open",),
        run_id: str | None = None,
        to: Collection[str] = (),
        limit: int = MOST,
        min_position: Mapping[int, int] | None = None,
    ) -> Answer[tuple[DecisionRow, ...]]:
        """Questions to people, the oldest first.

        Args:
            to: asked of one of these, or of everybody.
        """
        limit = max(1, min(limit, MOST))
        return await self._ask(lambda c: details.decisions(c, state, run_id, to, limit), min_position)

    async def causes(
        self, *, limit: int = 100, min_position: Mapping[int, int] | None = None
    ) -> Answer[tuple[FailureGroup, ...]]:
        """Failures by cause, those that park the most steps first."""
        return await self._ask(lambda c: details.causes(c, max(1, min(limit, MOST))), min_position)

    async def reactors(
        self, *, minutes: int = 5, min_position: Mapping[int, int] | None = None
    ) -> Answer[tuple[ReactorRow, ...]]:
        """Reactors, what is owed to them, and what they did in the last minutes of log time."""
        return await self._ask(lambda c: governing.reactors(c, minutes), min_position)

    async def minutes(
        self,
        since: int,
        upto: int | None = None,
        *,
        reactor: str | None = None,
        min_position: Mapping[int, int] | None = None,
    ) -> Answer[tuple[MinuteRow, ...]]:
        """What reactors did, minute by minute.

        Args:
            since, upto: log times, the latter left out.
        """
        return await self._ask(lambda c: governing.minutes(c, since, upto, reactor), min_position)

    async def schedules(self, *, min_position: Mapping[int, int] | None = None) -> Answer[tuple[ScheduleRow, ...]]:
        """Schedules that have ticked, by name. What a schedule says of itself is in the catalogue of the log."""
        return await self._ask(governing.schedules, min_position)

    async def policies(self, *, min_position: Mapping[int, int] | None = None) -> Answer[tuple[PolicyRow, ...]]:
        """Kill switches, those that are off again too."""
        return await self._ask(governing.policies, min_position)

    # ── how it is asked ──────────────────────────────────────────────────────────────────────────────────────────────

    async def freshness(self, *, min_position: Mapping[int, int] | None = None) -> Freshness:
        """Up to where answers are true now."""
        return (await self._ask(lambda c: None, min_position)).fresh

    async def _ask(self, ask: Callable[[Connection], _T], wanted: Mapping[int, int] | None) -> Answer[_T]:
        loop = asyncio.get_running_loop()
        until, pause = loop.time() + self._patience, _LOOK
        while True:
            answer = await asyncio.to_thread(self._answer, ask, wanted or {})
            if answer is not None:
                return answer
            if loop.time() >= until:
                raise Behind(
                    f"the tables in {self.database.url} have not come to {dict(wanted or {})} within {self._patience:g} s: is "
                    "a projector at work?"
                )
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, _SLOWEST_LOOK)

    def _answer(self, ask: Callable[[Connection], _T], wanted: Mapping[int, int]) -> Answer[_T] | None:
        """None if the tables are not there yet."""
        p = t.positions.c
        with self.database.reading() as connection:
            rows = list(connection.execute(select(p.partition, p.position, p.log_time).order_by(p.partition)))
            fresh = Freshness(
                {row.partition: row.position for row in rows}, {row.partition: row.log_time for row in rows}
            )
            if any(fresh.positions.get(partition, 0) < position for partition, position in wanted.items()):
                return None
            return Answer(ask(connection), fresh)
