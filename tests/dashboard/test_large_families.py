"""A run with very many descendants: so many are looked up as a page shows, and the answer says that there are more."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import event
from tests.dashboard.desks import Office, an_office

from farandole.dashboard.pages.asking.kin import descendants
from farandole.projections.runs.query.details import run_of
from farandole.projections.runs.query.kin import family


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with an_office(tmp_path) as office:
        await office.start("parent", "check")
        # Its children are in other partitions, and known of sooner or later than itself.
        await office.until("/counts", lambda counts: counts.get("completed") == 4)
        yield office


@contextmanager
def fetched(office: Office) -> Iterator[list[str]]:
    """What is asked of the database."""
    asked: list[str] = []

    def told(_: object, __: object, statement: str, *more: object) -> None:
        asked.append(statement)

    engine = office.desk.runs.database._engine
    event.listen(engine, "before_cursor_execute", told)
    try:
        yield asked
    finally:
        event.remove(engine, "before_cursor_execute", told)


async def test_of_many_descendants_so_many_are_looked_up_and_it_is_said_that_there_are_more(office: Office) -> None:
    name = office.desk.choreography
    with office.desk.runs.database.reading() as connection:
        run = run_of(connection, "parent")
        assert run is not None
        whole = descendants(connection, name, run)
        assert (len(whole.children), whole.whole) == (3, True)
        assert all(child.run is not None and child.run.status == "completed" for child in whole.children)
        some = descendants(connection, name, run, most=2)
        assert (len(some.children), some.whole) == (2, False)
        some_of_it = family(connection, name, "parent", most=3)
        assert some_of_it is not None
        assert (len(some_of_it.members), some_of_it.whole) == (3, False)


async def test_no_question_about_children_is_without_a_bound(office: Office) -> None:
    with fetched(office) as asked:
        assert (await office.http.get("/runs/parent?tab=relations", headers={"Accept": "text/html"})).status_code == 200
        await office.get("/runs/parent/family")
    of_children = [each for each in asked if "FROM children" in each]
    assert len(of_children) >= 3
    assert all("LIMIT" in each for each in of_children)


async def test_the_page_says_that_there_are_more(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    more = "There are more below than are shown"
    page = await office.http.get("/runs/parent?tab=relations", headers={"Accept": "text/html"})
    assert more not in page.text
    monkeypatch.setattr(descendants, "__defaults__", (2,))
    page = await office.http.get("/runs/parent?tab=relations", headers={"Accept": "text/html"})
    assert more in page.text
