"""What the tables have of what was said in a run, and in the runs that its agents started."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, or_, select

from farandole.dashboard.pages.conversation import KINDS, Conversation, conversations
from farandole.projections.runs import tables as t
from farandole.projections.runs.query import RecordRow, RunRow, Runs
from farandole.projections.runs.query.details import record_of

from .owing import open_steps

MOST: Final = 5_000
"""Records of a run that are looked at; of more, the newest."""
_DEEP: Final = 4
_MANY: Final = 40
"""Runs below one that are looked at."""
_AT_ONCE: Final = 400
"""Values of one query: databases take only so many."""


@dataclass(frozen=True, slots=True)
class Talk:
    """What was said in a run.

    Attributes:
        found: with what was said in the runs that its agents' calls started.
        below: the ids of those.
        shortened: the ids of the runs, it among them, of which older records are left out.
    """

    found: list[Conversation]
    below: list[str]
    shortened: list[str]


def has_talk(connection: Connection, run: RunRow) -> bool:
    """Whether an agent has been at work in a run."""
    r = t.records.c
    query = select(r.log_offset).where(r.partition == run.partition, r.run == run.run, r.type.like("%ModelRequested"))
    return connection.execute(query.limit(1)).first() is not None


async def talk_in(runs: Runs, run: RunRow, personal: bool, most: int = MOST) -> Talk:
    """What was said in a run and below it.

    Args:
        most: records of each run that are looked at, the newest ones.
    """
    seen: list[str] = []
    shortened: list[str] = []

    async def below(row: RunRow, depth: int) -> list[Conversation]:
        found, whole = await _talk(runs, row, personal, most)
        if not whole:
            shortened.append(row.run_id)
        for call in [call for each in found for call in each.calls() if call.child]:
            if depth >= _DEEP or len(seen) >= _MANY or call.child in (run.run_id, *seen):
                continue
            child = (await runs.get(call.child)).found
            if child is not None and child.parent == row.run_id:
                seen.append(call.child)
                call.below = await below(child, depth + 1)
        return found

    return Talk(await below(run, 0), seen, shortened)


async def _talk(runs: Runs, run: RunRow, personal: bool, most: int) -> tuple[list[Conversation], bool]:
    steps = (await runs.ask(lambda c: open_steps(c, [run]))).found.get((run.partition, run.run), [])
    children = {each.log_offset: each.child for each in (await runs.children(run.run_id)).found}
    questions = [each.log_offset for each in (await runs.decisions(run_id=run.run_id)).found]
    records, whole = (await runs.ask(_records(run, personal, [*children, *questions], most))).found
    return conversations(records, steps, children, questions), whole


def _records(
    run: RunRow, personal: bool, others: Collection[int], most: int
) -> Callable[[Connection], tuple[Sequence[RecordRow], bool]]:
    """The newest records of agents, with those others that stand among them; and whether these are all."""
    r = t.records.c
    of_run = select(t.records).where(r.partition == run.partition, r.run == run.run)
    said = or_(*(r.type.like(f"%{kind}") for kind in (*KINDS, "Called")), r.reactor.like("%.approval"))
    newest = of_run.where(said).order_by(r.log_offset.desc()).limit(most + 1)

    def ask(connection: Connection) -> tuple[Sequence[RecordRow], bool]:
        rows = connection.execute(newest).mappings().all()
        whole, rows = len(rows) <= most, rows[:most]
        found = {row["log_offset"]: record_of(row, personal) for row in rows}
        oldest = min(found, default=0)
        more = sorted(offset for offset in set(others) - found.keys() if offset >= oldest)
        for begin in range(0, len(more), _AT_ONCE):
            some = of_run.where(r.log_offset.in_(more[begin : begin + _AT_ONCE]))
            found |= {row["log_offset"]: record_of(row, personal) for row in connection.execute(some).mappings()}
        return [found[offset] for offset in sorted(found)], whole

    return ask
