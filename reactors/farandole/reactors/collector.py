"""A worker's counters as metrics. ``docs/metrics.md`` says what each means."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING, Final

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from farandole.eventstore import StoreError
from farandole.projections.families import Families
from farandole.projections.fold import Verdict

from .stats import TOKENS

if TYPE_CHECKING:
    from .worker import Worker

_PATIENCE: Final = 1.0
"""Seconds that the log has to say where it ends. An event loop that is blocked answers as little as a log that is away."""
_REFUSED: Final = tuple(verdict.name.lower() for verdict in Verdict if verdict.refused)
_RESULTS: Final = ("done", "retried", "failed", "superseded")


class WorkerCollector(Collector):
    """Labels are names of choreography, service and reactors, verdicts and results: bounded by the code, never by runs.

    Args:
        worker: whose counters they are.
        loop: where it works.
    """

    def __init__(self, worker: "Worker", loop: asyncio.AbstractEventLoop) -> None:
        self._worker = worker
        self._loop = loop
        self._families = Families(worker.serves)

    def collect(self) -> Iterator[Metric]:
        yield self._families.build()
        yield from self._records()
        yield from self._steps()
        yield from self._owed()
        yield from self._partitions()
        yield from self._used()
        yield from self._keeping()

    def describe(self) -> Iterator[Metric]:
        return iter(())

    def _records(self) -> Iterator[Metric]:
        f, stats, outbox = self._families, self._worker.stats, self._worker.outbox
        # All of them from the beginning: of a number that is not there, Prometheus knows not by how much it grew.
        refused = [((verdict,), stats.refused[verdict]) for verdict in _REFUSED]
        yield f.counter("records_appended", "Records that the log acknowledged.", outbox.records)
        yield f.counter("records_folded", "Records read and folded.", stats.records)
        yield f.counter("records_admitted", "Records that the fold took.", stats.admitted)
        yield f.counter("records_refused", "Records that the fold refused, by verdict.", refused, "verdict")
        yield f.counter("records_rejected", "Unreadable records copied aside.", stats.rejected)
        yield f.gauge("outbox_bytes", "Bytes on their way to the log.", outbox.bytes)
        behind = self._behind()
        yield f.gauge("lag_records", "Records not folded yet.", [] if behind is None else behind)

    def _steps(self) -> Iterator[Metric]:
        f, dispatcher = self._families, self._worker.dispatcher
        reactors = tuple(self._worker.stats.reactors.items())
        attempts = [((name, result), float(getattr(s, result))) for name, s in reactors for result in _RESULTS]
        yield f.counter("steps", "Attempts at steps, by result.", attempts, "reactor", "result")
        waiting = [((name,), dispatcher.waiting(name)) for name, _ in reactors]
        yield f.gauge("steps_waiting", "Steps in the queue of this process.", waiting, "reactor")
        running = [((name,), dispatcher.running(name)) for name, _ in reactors]
        yield f.gauge("steps_running", "Handlers at work in this process.", running, "reactor")
        handler = [((name,), s.handler) for name, s in reactors]
        yield f.histogram("handler_duration_seconds", "Time in the handler.", handler, "reactor")
        queued = [((name,), s.queued) for name, s in reactors]
        yield f.histogram("queue_duration_seconds", "Time from being due to the handler.", queued, "reactor")

    def _owed(self) -> Iterator[Metric]:
        f, counted = self._families, self._worker.census.take()
        reactors = tuple(counted.reactors.items())
        owed = [((name,), owes.owed) for name, owes in reactors]
        yield f.gauge("steps_owed", "Steps owed in the partitions owned.", owed, "reactor")
        parked = [((name,), owes.parked) for name, owes in reactors]
        yield f.gauge("steps_parked", "Steps that failed for good and wait for a retry.", parked, "reactor")
        held = [((name,), owes.held) for name, owes in reactors]
        yield f.gauge("steps_held", "Steps owed that a pause or a kill switch holds.", held, "reactor")
        oldest = [((name,), owes.oldest) for name, owes in reactors]
        yield f.gauge("oldest_owed_seconds", "For how long the oldest step is owed.", oldest, "reactor")
        yield f.gauge("runs_open", "Open runs of the partitions owned.", counted.runs)
        yield f.gauge("timers_pending", "Timers that have not fired.", counted.timers)
        yield f.gauge("timers_overdue", "Timers whose time has come, and that have not fired.", counted.overdue)

    def _partitions(self) -> Iterator[Metric]:
        f, worker, stats = self._families, self._worker, self._worker.stats
        held = [s for s in tuple(worker.partitions.values()) if s.active]
        yield f.gauge("partitions_owned", "Partitions of this process.", len(held))
        stopped = sum(s.stopped is not None for s in held)
        yield f.gauge("partitions_stopped", "Partitions that cannot be served any more.", stopped)
        yield f.counter("rebalances", "Changes of the partitions owned.", stats.rebalances)
        yield f.counter("restores", "Partitions restored.", stats.restores)
        yield f.gauge("restore_seconds", "Duration of the last restore.", stats.restore_seconds)

    def _used(self) -> Iterator[Metric]:
        f, used = self._families, tuple(self._worker.stats.usage.by.items())
        by = ("agent", "model")
        calls = [(key, counts["calls"]) for key, counts in used]
        yield f.counter("model_calls", "Calls of models.", calls, *by)
        tokens = [((*key, kind), counts[kind]) for key, counts in used for kind in TOKENS]
        yield f.counter("model_tokens", "Tokens, those of caches among those in and out.", tokens, *by, "kind")
        cost = [(key, counts["picodollars"] / 10**12) for key, counts in used]
        yield f.counter("model_cost_usd", "What calls of models cost, in US dollars.", cost, *by)
        unpriced = [(key, counts["unpriced"]) for key, counts in used]
        yield f.counter("model_calls_unpriced", "Calls of models whose price nobody knows.", unpriced, *by)

    def _keeping(self) -> Iterator[Metric]:
        f, stats = self._families, self._worker.stats
        yield f.counter("checkpoints", "Checkpoints written.", stats.checkpoints)
        yield f.counter("digest_alarms", "Checkpoints of another state than this process knew.", stats.alarms)
        yield f.counter("claims", "Claims of steps written, renewals included.", stats.claims)
        yield f.counter("workers_lost", "Losses of workers at a step that this process told of.", stats.lost)
        yield f.histogram("timer_late_seconds", "Time by which timers fire late.", [((), stats.late)])
        yield f.gauge("event_loop_lag_seconds", "Longest block of the event loop of late.", stats.loop_lag)

    def _behind(self) -> float | None:
        """None if nobody says so in time."""
        asked = asyncio.run_coroutine_threadsafe(self._worker.behind(), self._loop)
        try:
            return asked.result(_PATIENCE)
        except (TimeoutError, CancelledError, StoreError):
            asked.cancel()
            return None
