"""What is in a database, as the model has it."""

import json
from typing import Any

from sqlalchemy import JSON, select
from tests.projections.runs.model import Tables

from farandole.projections.runs.tables import OF_THE_LOG
from farandole.projections.sql import Database


def tables_in(database: Database) -> Tables:
    """All rows that follow from the log."""
    found: Tables = {}
    with database.reading() as connection:
        for table in OF_THE_LOG:
            width = len(table.primary_key.columns)
            rows = [list(row) for row in connection.execute(select(table))]
            found[table.name] = {tuple(row[:width]): row for row in rows}
    return found


def as_read(tables: Tables) -> Tables:
    """The model's rows as a database gives them back: structured values, and no longer their text."""
    found: Tables = {}
    for table in OF_THE_LOG:
        structured = [at for at, column in enumerate(table.columns) if isinstance(column.type, JSON)]
        found[table.name] = {key: _read(row, structured) for key, row in tables.get(table.name, {}).items()}
    return found


def _read(row: list[Any], structured: list[int]) -> list[Any]:
    row = list(row)
    for at in structured:
        if row[at] is not None:
            row[at] = json.loads(row[at])
    return row
