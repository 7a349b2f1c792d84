"""Projections that apps declare, as they stand beside the tables of runs, within a transaction that sees one state."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, func, inspect, select

from farandole.projections.custom import tables as t
from farandole.projections.custom.keepers import kept_by
from farandole.projections.custom.logs import part_of
from farandole.projections.custom.versions import own_version


@dataclass(frozen=True, slots=True)
class ProjectionRow:
    """A projection that an app declares."""

    name: str
    version: int
    state: str
    """``live`` or ``stopped``: it goes no further before somebody mends it."""
    error: str
    """Why it is stopped; empty: it is not."""
    changed: bool
    """Its code is not the one that the first rows were made by, and its version is the same."""
    passed_over: int
    """Events that it could not handle, and went on without: they stand in ``projection_errors``."""
    positions: Mapping[str, int]
    """By ``choreography/partition``, the offset that comes next."""
    log_times: Mapping[str, int]
    """By ``choreography/partition``, the log time there."""
    kept: bool | None
    """Whether a process keeps it. None: none ever said so; such are those of former releases."""
    kept_by: tuple[str, ...]
    """These processes."""

    def behind(self, choreography: str, ends: Mapping[int, int]) -> int:
        """Records of one choreography that it has not taken.

        Args:
            ends: by partition, the offset that comes next in the log.
        """
        return sum(
            max(end - self.positions.get(part_of(choreography, partition), end), 0) for partition, end in ends.items()
        )


def projections(connection: Connection, schema: str) -> tuple[ProjectionRow, ...]:
    """By name.

    Args:
        schema: of the tables of runs, in PostgreSQL; projections have one beside it, which is there once one was kept.
    """
    place = t.place_beside(schema) if connection.dialect.name == "postgresql" else None
    if not inspect(connection).has_table(t.projections.name, schema=place):
        return ()
    connection = connection.execution_options(schema_translate_map={None: place})
    keepers = kept_by(connection, place)
    p, errors = t.positions.c, select(t.errors.c.projection, func.count()).group_by(t.errors.c.projection)
    passed = {row[0]: row[1] for row in connection.execute(errors)}
    places: dict[str, list[tuple[str, int, int]]] = {}
    for row in connection.execute(select(t.positions).order_by(p.choreography, p.partition)):
        places.setdefault(row.projection, []).append((row.part, row.position, row.log_time))
    found = []
    for row in connection.execute(select(t.projections).order_by(t.projections.c.name)):
        begin = t.key_of(row.name, row.version, "")
        here = [(k.removeprefix(begin), place, at) for k, place, at in places.get(row.name, ()) if k.startswith(begin)]
        by = keepers.get(row.name)
        found.append(
            ProjectionRow(
                row.name, own_version(row.version), row.state, row.error, row.changed, passed.get(row.name, 0),
                {part: position for part, position, _ in here}, {part: at for part, _, at in here},
                None if by is None else bool(by), by or (),
            )
        )  # fmt: skip
    return tuple(found)
