"""What is asked of tables, and what leaves them, is found by an index: nobody looks at all rows of a large table for a few."""

import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event
from tests.projections.runs.logs import RecordedLog
from tests.projections.runs.model import a_random_log
from tests.projections.runs.projecting import projected

from farandole.projections.runs import retire
from farandole.projections.runs.query import Runs, Where
from farandole.projections.runs.tablespace import RunTables
from farandole.projections.sql import Database

LARGE = ("runs", "records", "steps", "timers", "decisions", "children", "failures", "attributes", "minutes")
WHOLE = re.compile(rf"SCAN ({'|'.join(LARGE)})\b")
"""All rows of a table, be it by an index that has them in order."""


@contextmanager
def statements() -> Iterator[list[tuple[str, Any]]]:
    """What is asked of any database meanwhile."""
    found: list[tuple[str, Any]] = []

    def note(connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        if statement.lstrip().startswith(("SELECT", "DELETE", "WITH")) and not many:
            found.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def scanned(database: Database, asked: list[tuple[str, Any]]) -> list[str]:
    """Statements for which SQLite looks at all rows of a large table."""
    found = []
    with database.reading() as connection:
        for statement, parameters in asked:
            details = [row.detail for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
            found += [f"{each}: {statement}" for each in details if WHOLE.match(each)]
    return found


@pytest.fixture
async def database(tmp_path: Path) -> Database:
    database = Database(f"sqlite:///{tmp_path / 'rows.db'}", "farandole_t")
    await projected(RecordedLog(a_random_log(63, 400)), database)
    return database


QUESTIONS: dict[str, Callable[[Runs, str, str], Awaitable[Any]]] = {
    "a run": lambda runs, run, _: runs.get(run),
    "its history": lambda runs, run, _: runs.history(run, everything=True),
    "its steps": lambda runs, run, _: runs.steps(run),
    "as it was": lambda runs, run, _: runs.state_at(run),
    "by status": lambda runs, *_: runs.list(Where(status=["failed"])),
    "by type": lambda runs, *_: runs.list(Where(type="A")),
    "by reactor": lambda runs, *_: runs.list(Where(reactor="p")),
    "by attribute": lambda runs, *_: runs.list(Where(attributes={"customer": "ann"})),
    "by how its id begins": lambda runs, run, _: runs.list(Where(id=run[:2])),
    "by words": lambda runs, *_: runs.list(Where(text="some words")),
    "open questions": lambda runs, *_: runs.decisions(),
    "one question": lambda runs, _, question: runs.decisions(state=(), id=question, limit=1),
}


@pytest.mark.parametrize("question", QUESTIONS)
async def test_a_question_is_answered_by_an_index(question: str, database: Database) -> None:
    with database.reading() as connection:
        run = connection.exec_driver_sql("SELECT run_id FROM runs").scalars().first()
        asked_for = connection.exec_driver_sql("SELECT id FROM decisions").scalars().first()
    assert run is not None
    assert asked_for is not None
    with statements() as asked:
        await QUESTIONS[question](Runs(database, "t"), run, asked_for)
    assert asked
    assert scanned(database, asked) == []


async def test_what_leaves_the_tables_is_found_by_an_index(database: Database) -> None:
    with statements() as asked:
        retire(RunTables(database, "t"), {0: 1, 1: 2})
    assert any(statement.startswith("DELETE") for statement, _ in asked)
    assert scanned(database, asked) == []
