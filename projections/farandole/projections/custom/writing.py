"""What was admitted to rows, in one transaction with the places; blocking, for a thread.

All that came together is written together. Where a handler raises, it is done again event by event, up to the one that
it raised for.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from farandole.projections.sql import NOWHERE, DatabaseUnavailable, Overtaken, Place

from .feed import Item
from .handling import Raised, handle, said, stopped
from .space import ProjectionTables
from .stopping import Stop

_OF_THE_STATEMENT: Final = 1
"""SQLite's code for an error that is in what it was asked."""


class Step(NamedTuple):
    """What one record brought."""

    part: str
    choreography: str
    after: Place
    items: Sequence[Item]


@dataclass
class Pending:
    """What was folded, and is not written yet."""

    before: dict[str, Place] = field(default_factory=dict)
    after: dict[str, Place] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    records: int = 0
    events: int = 0


def write(tables: ProjectionTables, pending: Pending) -> None:
    """Write all of it.

    Raises:
        Raised: a handler has; nothing was written.
        Overtaken: the tables are elsewhere; nothing was written.
        DatabaseUnavailable: whether it was written is not known.
    """

    def rows(connection: Connection) -> None:
        handle(tables.projection(), (item for step in pending.steps for item in step.items), connection)

    try:
        tables.write(pending.before, pending.after, rows)
    except Raised as e:
        _refuse_passing(tables, e)
        raise


def write_carefully(tables: ProjectionTables, pending: Pending) -> None:
    """Write it event by event, each record's in a transaction. What was written before is not written again.

    Raises:
        ProjectionStopped: a handler has raised; all that came before is written.
        Overtaken: the tables are elsewhere.
        DatabaseUnavailable: whether it was written is not known.
    """
    known = tables.places()
    here = {part: known.get(part, NOWHERE) for part in pending.before}
    if any(not pending.before[p].position <= at.position <= pending.after[p].position for p, at in here.items()):
        raise Overtaken("the tables are further on, or set back")
    for step in pending.steps:
        if here[step.part].position >= step.after.position:
            continue
        try:
            tables.write(
                {step.part: here[step.part]},
                {step.part: step.after},
                lambda connection, step=step: _one(tables, step, connection),  # type: ignore[misc]
            )
        except Raised as e:
            _refuse_passing(tables, e)
            why = stopped(tables.projection, e.items[0], e.handler, e.error)
            tables.stop(str(why), Stop(step.part, step.after.position))
            raise why from e.error
        here[step.part] = step.after
    if here != pending.after:
        tables.write(here, pending.after, lambda connection: None)


def _one(tables: ProjectionTables, step: Step, connection: Connection) -> None:
    for item in step.items:
        if tables.projection.on_error == "stop":
            handle(tables.projection(), [item], connection)
            continue
        nested = connection.begin_nested()
        try:
            handle(tables.projection(), [item], connection)
        except Raised as e:
            nested.rollback()
            _refuse_passing(tables, e)
            tables.pass_over(connection, step.choreography, item, e.handler, said(e.error), step.after.log_time)
        else:
            nested.commit()


def _refuse_passing(tables: ProjectionTables, raised: Raised) -> None:
    """What went wrong with the database is not the handler's fault."""
    error = raised.error
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    if isinstance(cause, sqlite3.OperationalError):
        passing = cause.sqlite_errorcode & 0xFF != _OF_THE_STATEMENT
    else:
        names = {cls.__name__ for cls in type(cause).__mro__ if cls.__module__.partition(".")[0] == "psycopg"}
        passing = bool(names & {"OperationalError", "InterfaceError"})
    if passing:
        raise DatabaseUnavailable(f"{tables.database.url}: {said(cause)}") from error
