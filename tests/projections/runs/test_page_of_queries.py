"""The page on the tables is true: its queries can be asked of both databases, and it names what is there."""

import re
from pathlib import Path

from tests.projections.runs.logs import RecordedLog
from tests.projections.runs.model import a_random_log
from tests.projections.runs.projecting import projected

from farandole.projections.runs.tables import metadata
from farandole.projections.sql import Database

PAGE = (Path(__file__).parents[3] / "docs/projections.md").read_text()


def queries() -> list[str]:
    block = re.search(r"```sql\n(.*?)```", PAGE, flags=re.S)
    assert block is not None
    return [each.strip() for each in re.sub(r"--.*", "", block[1]).split(";") if each.strip()]


async def test_every_query_on_the_page_can_be_asked(database: Database) -> None:
    await projected(RecordedLog(a_random_log(62, 400)), database)
    assert len(queries()) == 6
    with database.reading() as connection:
        for query in queries():
            connection.exec_driver_sql(query).fetchall()


def test_the_page_names_every_table_and_no_other() -> None:
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \| ", PAGE.partition("### Tables")[2], flags=re.M)
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert named == set(metadata.tables) - {"about"}


def test_the_page_names_no_column_that_is_not_there() -> None:
    for row in re.findall(
        r"^\| ((?:`\w+`(?:, )?)+) \| [^|]+ \| ([^|]+) \|$", PAGE.partition("### Tables")[2], flags=re.M
    ):
        columns = {c.name for name in re.findall(r"`(\w+)`", row[0]) for c in metadata.tables[name].columns}
        assert set(re.findall(r"`(\w+)`", row[1])) - {"Search"} <= columns, row[0]
