"""What a server of the runs tells Prometheus: how far its tables are, how the log stands, and what it was asked.

Figures come from the tables when somebody asks, at most once a second; requests are counted as they are answered.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import chain
from typing import Final, get_args

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from farandole.eventstore import EventStore, PositionLost, StoreError
from farandole.projections.families import Families, Histogram
from farandole.projections.fold.status import Status
from farandole.projections.sql import DatabaseError

from .behind import projections_behind
from .query import Answer, Figures, Freshness, ProjectionRow, Runs

_CLOSED: Final = frozenset(("absent", "completed", "cancelled", "expired"))
_OPEN: Final = tuple(status for status in get_args(Status) if status not in _CLOSED)
_EVERY: Final = 1.0
_PATIENCE: Final = 2.0
"""Seconds that the log has to say where it ends."""
_METHODS: Final = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))


class ServerMetrics:
    """The metrics of one server.

    Args:
        runs: what it answers from.
        store: the log that the tables follow, to know how far behind they are; None: that is not told.
        now: seconds since 1970 UTC.
        stopped: partitions that a projector in this process projects no further.
    """

    def __init__(
        self,
        runs: Runs,
        *,
        store: EventStore | None = None,
        now: Callable[[], float] = time.time,
        stopped: Callable[[], Collection[int]] = frozenset,
    ) -> None:
        self._runs = runs
        self._store = store
        self._now = now
        self._stopped = stopped
        self._families = Families({"choreography": runs.choreography})
        self._requests: Counter[tuple[str, str, str]] = Counter()
        self._took: dict[tuple[str, str], Histogram] = {}
        self._process = ProcessCollector(registry=None)
        self._lock = asyncio.Lock()
        self._text = b""
        self._again_at = 0.0

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request that was answered.

        Args:
            route: the template that it matched, never its path, for there are as many paths as runs; empty: none.
        """
        method = method if method in _METHODS else "other"
        self._requests[method, route, str(status)] += 1
        took = self._took.get((method, route))
        if took is None:
            took = self._took[method, route] = Histogram()
        took.observe(seconds)

    async def scrape(self) -> tuple[bytes, str]:
        """The answer to ``/metrics``, and its content type. It comes, with less in it, even if the database is away."""
        async with self._lock:
            loop = asyncio.get_running_loop()
            if loop.time() >= self._again_at:
                self._text = await self._figures()
                self._again_at = loop.time() + _EVERY
        return self._text + _text(self._served()), CONTENT_TYPE_LATEST

    async def _figures(self) -> bytes:
        found: Answer[Figures] | None
        try:
            found = await self._runs.figures()
        except DatabaseError:
            found = None
        behind = None if found is None else await self._behind(found.fresh)
        own = () if found is None else await self._own()
        return _text(chain(self._projected(found, behind), self._declared(own)))

    async def _own(self) -> Sequence[tuple[ProjectionRow, int | None]]:
        try:
            return await projections_behind(self._runs, self._store, patience=_PATIENCE)
        except DatabaseError:
            return ()

    def _projected(self, found: "Answer[Figures] | None", behind: tuple[int, float] | None) -> Iterator[Metric]:
        f = self._families
        yield f.build()
        yield from self._process.collect()
        yield f.gauge("projection_database_up", "Whether the database answers.", int(found is not None))
        yield f.gauge("projection_stopped_partitions", "Partitions projected no further.", len(self._stopped()))
        if behind is not None:
            yield f.gauge("projection_lag_records", "Records that are not in the tables.", behind[0])
            yield f.gauge("projection_lag_seconds", "Age of the oldest record that is not in the tables.", behind[1])
        if found is None:
            return
        stands = found.found
        opened = [((status,), stands.open.get(status, 0)) for status in _OPEN]
        yield f.gauge("projected_runs_open", "Open runs, by status.", opened, "status")
        yield f.gauge("projected_decisions_open", "Questions that wait for a person.", stands.decisions)
        yield f.gauge("projected_timers_pending", "Timers that have not fired.", stands.timers)
        by, now = ("service", "reactor"), self._now()
        reactors = [((each.service, name), each) for name, each in stands.reactors.items()]
        owed = [(labels, each.owed) for labels, each in reactors]
        yield f.gauge("projected_steps_owed", "Steps owed.", owed, *by)
        parked = [(labels, each.parked) for labels, each in reactors]
        yield f.gauge("projected_steps_parked", "Steps that failed for good and wait for a retry.", parked, *by)
        held = [(labels, each.held) for labels, each in reactors]
        yield f.gauge("projected_steps_held", "Steps owed that a pause or a kill switch holds.", held, *by)
        oldest = [(ls, max(now - e.oldest / 1000, 0.0) if e.oldest is not None else 0.0) for ls, e in reactors]
        yield f.gauge("projected_oldest_owed_seconds", "For how long the oldest step is owed.", oldest, *by)

    def _declared(self, own: Sequence[tuple[ProjectionRow, int | None]]) -> Iterator[Metric]:
        f = self._families
        kept = [((each.name,), int(each.kept)) for each, _ in own if each.kept is not None]
        yield f.gauge("custom_projection_kept", "Whether a process keeps it.", kept, "projection")
        stopped = [((each.name,), int(each.state == "stopped")) for each, _ in own]
        yield f.gauge("custom_projection_stopped", "Whether it goes no further.", stopped, "projection")
        # Where nobody is at work nobody is late.
        behind = [((each.name,), late) for each, late in own if late is not None and each.kept is not False]
        yield f.gauge("custom_projection_lag_records", "Records it has not taken.", behind, "projection")
        passed = [((each.name,), each.passed_over) for each, _ in own]
        yield f.gauge("custom_projection_passed_over", "Events it could not handle.", passed, "projection")

    def _served(self) -> Iterator[Metric]:
        f = self._families
        requests = tuple(self._requests.items())
        yield f.counter("http_requests", "Requests answered.", requests, "method", "route", "status")
        took = tuple(self._took.items())
        yield f.histogram("http_request_duration_seconds", "Time to answer.", took, "method", "route")

    async def _behind(self, fresh: Freshness) -> tuple[int, float] | None:
        """By how many records, and by how many seconds, the tables are behind; None: nobody says so in time."""
        if self._store is None:
            return None
        try:
            async with asyncio.timeout(_PATIENCE):
                ends = await self._store.ends(tuple(fresh.positions))
                late = {p: end.next - fresh.positions[p] for p, end in ends.items() if end.next > fresh.positions[p]}
                since = [await self._time_at(self._store, fresh, partition) for partition in late]
        except (TimeoutError, StoreError):
            return None
        return sum(late.values()), max((self._now() - time / 1000 for time in since), default=0.0)

    async def _time_at(self, store: EventStore, fresh: Freshness, partition: int) -> int:
        """The log time of the first record that is not in the tables, or, if there is none at that offset, the last's."""
        try:
            (record,) = await store.fetch(partition, (fresh.positions[partition],))
        except PositionLost:
            return fresh.log_times[partition] or round(self._now() * 1000)
        return record.time


class _Once(Collector):
    def __init__(self, metrics: Iterator[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        return self._metrics


def _text(metrics: Iterator[Metric]) -> bytes:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Once(metrics))
    return generate_latest(registry)
