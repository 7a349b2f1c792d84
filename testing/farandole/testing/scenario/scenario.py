"""`Scenario`: given, when, then, for a choreography in memory and on virtual time."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from types import TracebackType
from typing import Self, TypeVar, overload

from farandole.projections import Projection
from farandole.reactors import Choreography, Client, Provider
from farandole.schemas import Duration

from .projecting import Projected, Projecting
from .run import ScenarioRun
from .stage import Stage

T = TypeVar("T")
P = TypeVar("P", bound=Projection)


class Scenario(ScenarioRun):
    """A choreography at work in memory, on virtual time, and its main run.

        async with Scenario(orders) as s:
            s.replace(bank, FakeBank())
            await s.given(OrderPlaced(amount=5), OrderPacked())
            await s.when(PaymentTaken(receipt="r-1"))
            s.then(OrderShipped(tracking="p-1"))

    Workers and a client of it are those of production; the log, the clock and the threads are a test's. It plays on an
    event loop of its own, which stands still between two commands, so it goes with any asyncio test runner. The same
    test does the same things in the same order each time, the keys of its steps included.

    Args:
        choreographies: each with a log of its own; those of one name are services that share one.
        run_id: of its main run, which is one of the first choreography.
        at: when its time begins; 2026-01-01 UTC by default.
        settings: admission settings of its logs, as ``{"expire_after": 86_400_000}``.
        workers: for each service; a log has as many partitions.
    """

    def __init__(
        self,
        *choreographies: Choreography,
        run_id: str = "run",
        at: datetime | None = None,
        settings: Mapping[str, int] | None = None,
        workers: int = 1,
    ) -> None:
        stage = Stage(choreographies, at=at, workers=workers, settings=settings or {})
        super().__init__(stage, run_id, choreographies[0].name)
        self._projecting = Projecting(stage)

    def replace(self, provider: Provider[T], value: T) -> None:
        """Give reactors ``value`` instead of what a provider would make. Before the first `given` or `when`.

        Raises:
            ScenarioError: it comes too late, or the provider belongs to another choreography.
        """
        self._stage.replace(provider, value)

    def run(self, run_id: str, choreography: Choreography | None = None) -> ScenarioRun:
        """Another run, of the first choreography or of the one named."""
        name = self._choreography if choreography is None else choreography.name
        return ScenarioRun(self._stage, run_id, name)

    async def use(
        self,
        fn: Callable[[Client], Awaitable[T]],
        choreography: Choreography | None = None,
        *,
        after: Duration | None = None,
    ) -> T:
        """Do anything else with a client: ``await s.use(lambda client: client.runs())``; then all rests again.

        The client belongs to the scenario's own event loop, so it is used in ``fn`` and nowhere else.

        Args:
            choreography: whose client; that of the main run by default.
            after: let exactly so much time pass then, as in `when`.
        """
        name = self._choreography if choreography is None else choreography.name
        return await self._do(lambda: fn(self._stage.logs[name].client), after)

    @overload
    async def project(self, projection: type[Projection], /, *, db: str = ...) -> Projected: ...
    @overload
    async def project(self, projection: P, /) -> P: ...
    async def project(self, projection: Projection | type[Projection], /, *, db: str = ":memory:") -> object:
        """Bring a projection up to what has happened so far: ``(await s.project(OrdersPerDay)).rows("orders_per_day")``.

        A class has its tables in an SQLite database in memory; asked again, it goes on with them. An object is kept in
        memory, and comes back. Events of all choreographies of the scenario that know them are taken.

        Args:
            db: another database, such as one in which a table was made that the projection only names.

        Raises:
            ProjectionStopped: a handler has raised.
        """
        return await self._projecting.project(projection, db)

    async def __aenter__(self) -> Self:
        self._stage.enter()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._projecting.close()
            await self._stage.leave()
        except Exception:
            if error is None:
                raise
