"""What the tables have of what was said in a run, and in the runs that its agents started."""

from collections.abc import Callable, Sequence
from typing import Final

from sqlalchemy import Connection, or_, select

from farandole.dashboard.pages.conversation import KINDS, Conversation, conversations
from farandole.projections.runs import tables as t
from farandole.projections.runs.query import RecordRow, RunRow, Runs
from farandole.projections.runs.query.details import record_of

from .owing import open_steps

_MOST: Final = 5_000
"""Records of a run that are looked at; of more, the first."""
_DEEP: Final = 4
_MANY: Final = 40
"""Runs below one that are looked at."""


def has_talk(connection: Connection, run: RunRow) -> bool:
    """Whether an agent has been at work in a run."""
    r = t.records.c
    query = select(r.log_offset).where(r.partition == run.partition, r.run == run.run, r.type.like("%ModelRequested"))
    return connection.execute(query.limit(1)).first() is not None


async def talk_in(runs: Runs, run: RunRow, personal: bool) -> tuple[list[Conversation], list[str]]:
    """What was said in a run, with what was said in the runs that its agents' calls started, and the ids of those."""
    seen: list[str] = []

    async def below(row: RunRow, depth: int) -> list[Conversation]:
        found = await _talk(runs, row, personal)
        for call in [call for each in found for call in each.calls() if call.child]:
            if depth >= _DEEP or len(seen) >= _MANY or call.child in (run.run_id, *seen):
                continue
            child = (await runs.get(call.child)).found
            if child is not None and child.parent == row.run_id:
                seen.append(call.child)
                call.below = await below(child, depth + 1)
        return found

    return await below(run, 0), seen


async def _talk(runs: Runs, run: RunRow, personal: bool) -> list[Conversation]:
    steps = (await runs.ask(lambda c: open_steps(c, [run]))).found.get((run.partition, run.run), [])
    children = {each.log_offset: each.child for each in (await runs.children(run.run_id)).found}
    questions = [each.log_offset for each in (await runs.decisions(run_id=run.run_id)).found]
    records = (await runs.ask(_records(run, personal, [*children, *questions]))).found
    return conversations(records, steps, children, questions)


def _records(run: RunRow, personal: bool, others: Sequence[int]) -> Callable[[Connection], Sequence[RecordRow]]:
    r = t.records.c
    query = (
        select(t.records)
        .where(r.partition == run.partition, r.run == run.run)
        .where(or_(*(r.type.like(f"%{kind}") for kind in (*KINDS, "Called")), r.log_offset.in_(others)))
        .order_by(r.log_offset)
        .limit(_MOST)
    )

    def ask(connection: Connection) -> Sequence[RecordRow]:
        return [record_of(row, personal) for row in connection.execute(query).mappings()]

    return ask
