"""Projections in a scenario: fed with what has happened, and asked for their rows."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from farandole.projections import Projection
from farandole.projections.custom import Log, MemoryProjector, events_of, types_of
from farandole.projections.custom.logs import ends_of
from farandole.reactors import Choreography
from farandole.schemas import event_info

from .stage import Stage

if TYPE_CHECKING:
    from farandole.projections.custom.projector import ProjectionProjector
    from farandole.projections.sql import Database


class Projected:
    """A projection and its tables."""

    def __init__(self, database: "Database") -> None:
        self._database = database

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """The rows of a table in the order of its columns, or of a query: ``rows("SELECT … ORDER BY …")``."""
        if query.isidentifier():
            query = f"SELECT * FROM {query}"  # noqa: S608  # an identifier
            found = sorted(self._all(query), key=lambda row: [(value is not None, str(value)) for value in row])
            return found
        return self._all(query)

    def _all(self, query: str) -> list[tuple[Any, ...]]:
        from farandole.projections.custom.space import database_of

        with database_of(self._database).reading() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(query)]


class Projecting:
    """The projections of one scenario."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._classes: dict[tuple[type[Projection], str], tuple[Database, ProjectionProjector]] = {}
        self._objects: dict[int, tuple[Projection, MemoryProjector]] = {}

    async def project(self, projection: Projection | type[Projection], db: str) -> object:
        """Bring it up to what has happened so far."""
        return await self._stage.look(
            lambda: self._class(projection, db) if isinstance(projection, type) else self._object(projection)
        )

    async def close(self) -> None:
        """Let go of the databases."""
        for database, projector in self._classes.values():
            await projector.close()
            database.close()

    async def _class(self, projection: type[Projection], db: str) -> Projected:
        from farandole.projections.custom.projector import ProjectionProjector
        from farandole.projections.sql import Database

        key = projection, db
        if key not in self._classes:
            database = Database(f"sqlite:///{db}" if ":" not in db or db == ":memory:" else db, "scenario")
            self._classes[key] = database, ProjectionProjector(projection, self._logs(projection), database)
        database, projector = self._classes[key]
        await projector.catch_up()
        return Projected(database)

    async def _object(self, projection: Projection) -> Projection:
        if id(projection) not in self._objects:
            self._objects[id(projection)] = projection, MemoryProjector(projection, self._logs(type(projection)))
        _, projector = self._objects[id(projection)]
        logs = self._logs(type(projection))
        await projector.run(await ends_of(logs), patient=False)
        return projection

    def _logs(self, projection: type[Projection]) -> Sequence[Log]:
        of = self._of(projection)
        return [Log(name, self._stage.logs[name].store, types) for name, types in types_of(projection, of).items()]

    def _of(self, projection: type[Projection]) -> Sequence[Choreography]:
        """Of services that share a log, one; of several logs, those that know one of the events."""
        named = {each.name: each for each in reversed(self._stage.choreographies)}
        if len(named) == 1:
            return list(named.values())
        wanted = {event_info(event).name for event in events_of(projection)}
        return [each for each in named.values() if wanted & each.events.keys()] or list(named.values())
