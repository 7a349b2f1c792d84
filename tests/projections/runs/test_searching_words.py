"""Words that stand in many records are found as fast as those of few, and by either way the same runs are found."""

import secrets
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, event, func, select
from tests.projections.runs.logs import RecordedLog
from tests.projections.runs.model import a_random_log
from tests.projections.runs.projecting import projected

from farandole.projections.runs.query import Runs, Where, filters, searching
from farandole.projections.runs.query.searching import best_one_by_one
from farandole.projections.runs.tables import runs as table
from farandole.projections.sql import Database
from farandole.testing.postgres import PostgresServer

EVERYWHERE, SOMEWHERE, RARE, NOWHERE = "parcel", "till", 'ann\'s 100% \\ "bank"', "nothing"
PAGE = 20


@pytest.fixture
async def database(postgres_server: PostgresServer) -> Database:
    database = Database(f"{postgres_server.url}?schema=words_{secrets.token_hex(6)}", "")
    await projected(RecordedLog(a_random_log(64, 400)), database)
    with database.writing() as connection:
        connection.exec_driver_sql(f"UPDATE records SET words = '{EVERYWHERE} and more'")
        connection.exec_driver_sql(f"UPDATE records SET words = words || ' {SOMEWHERE}' WHERE log_offset %% 7 = 0")
        one = connection.exec_driver_sql("SELECT max(log_offset) FROM records WHERE run IS NOT NULL").scalar_one()
        connection.exec_driver_sql("UPDATE records SET words = words || %s WHERE log_offset = %s", (f" {RARE}", one))
    with database.writing() as connection:
        connection.exec_driver_sql("ANALYZE records")
    return database


@pytest.mark.postgres
@pytest.mark.parametrize(("said", "one_by_one"), [(EVERYWHERE, True), (RARE, False), (NOWHERE, False), ("", False)])
async def test_whichever_way_looks_at_fewer_records_is_taken(database: Database, said: str, one_by_one: bool) -> None:
    with database.reading() as connection:
        assert best_one_by_one(connection, Where(text=said), PAGE) is one_by_one


@pytest.mark.postgres
@pytest.mark.parametrize("said", [EVERYWHERE, SOMEWHERE, RARE, NOWHERE, f"{EVERYWHERE} {SOMEWHERE}"])
async def test_either_way_finds_the_same_runs(database: Database, said: str) -> None:
    with database.reading() as connection:
        ways = [
            {row.run_id for row in connection.execute(select(table).where(*Where(text=said).conditions("postgresql", "t", one_by_one=way)))}
            for way in (False, True)
        ]  # fmt: skip
    assert ways[0] == ways[1]
    assert bool(ways[0]) is (said != NOWHERE)


@pytest.mark.postgres
async def test_pages_of_a_word_that_stands_everywhere_have_every_run_once(database: Database) -> None:
    runs, found, cursor = Runs(database, "t"), list[str](), None
    while True:
        page = await runs.list(Where(text=EVERYWHERE), limit=PAGE, cursor=cursor)
        found += [run.run_id for run in page.found]
        if (cursor := page.next) is None:
            break
    with database.reading() as connection:
        assert sorted(found) == sorted(connection.execute(select(table.c.run_id)).scalars())


@pytest.fixture
def asked() -> Iterator[list[str]]:
    """What is asked of databases meanwhile."""
    found: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        found.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    yield found
    event.remove(Engine, "before_cursor_execute", note)


@pytest.mark.postgres
async def test_a_word_of_which_nothing_is_known_is_looked_up_in_the_index(database: Database, asked: list[str]) -> None:
    assert (await Runs(database, "t").list(Where(text="certainly"))).found == ()
    assert "AS MATERIALIZED" in asked[-1]


@pytest.mark.postgres
async def test_where_looking_at_runs_one_by_one_takes_long_the_index_is_taken(
    database: Database, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = func.pg_sleep(0.2).is_not(None)
    monkeypatch.setattr(filters, "_with_words_here", lambda said: slow)
    monkeypatch.setattr(searching, "_PATIENT", 50)
    assert len((await Runs(database, "t").list(Where(text=EVERYWHERE), limit=5)).found) == 5
    assert any("pg_sleep" in each for each in asked)
    assert "AS MATERIALIZED" in asked[-1]
