"""A projection that goes no further is told as stopped until its rows have gone on past the place where it stopped.

That it is tried again says nothing: it may stop there once more.
"""

from typing import Final, NamedTuple

from sqlalchemy import Connection, delete, insert, select, update

from .tables import projections, stops


class Stop(NamedTuple):
    """Where it stands."""

    part: str
    position: int
    """Whoever has come here has gone past the event that it stands before."""


BUILD: Final = Stop("", 0)
"""Not the rows in use stand, but those of another version that were to take their place."""
UNKNOWN: Final = Stop("", -1)
"""A release that stopped there did not say where."""


def stop(connection: Connection, name: str, why: str, at: Stop) -> None:
    """Say that a projection goes no further."""
    _say(connection, name, "stopped", why)
    connection.execute(delete(stops).where(stops.c.projection == name))
    connection.execute(insert(stops), {"projection": name, **at._asdict()})


def go_on(connection: Connection, name: str) -> None:
    """Say that it has gone on."""
    _say(connection, name, "live", "")
    connection.execute(delete(stops).where(stops.c.projection == name))


def stopped_at(connection: Connection, name: str) -> Stop:
    """Where one stands that is stopped."""
    row = connection.execute(select(stops.c.part, stops.c.position).where(stops.c.projection == name)).first()
    return UNKNOWN if row is None else Stop(row.part, row.position)


def _say(connection: Connection, name: str, state: str, error: str) -> None:
    values = {"state": state, "error": error}
    connection.execute(update(projections).where(projections.c.name == name).values(values))
