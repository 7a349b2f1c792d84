"""A worker's metrics for Prometheus, and its readiness, on a small HTTP server in a thread of its own.

In a thread, so that it answers, and says so, even while a handler blocks the event loop. Numbers are read from the
worker's counters when somebody asks; nothing is computed for them while steps run.
"""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import PackageNotFoundError, version
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from farandole.eventstore import StoreMisconfigured

from .stats import BUCKETS, Histogram

if TYPE_CHECKING:
    from .worker import Worker

_P: Final = "farandole"


class WorkerCollector(Collector):
    """A worker's counters as metrics. Labels are names of reactors and verdicts: bounded by the code, never by runs."""

    def __init__(self, worker: "Worker") -> None:
        self._worker = worker

    def collect(self) -> Iterator[Metric]:
        worker = self._worker
        stats = worker.stats
        yield InfoMetricFamily(f"{_P}_build", "This release.", {"version": _release()})
        yield CounterMetricFamily(f"{_P}_records_folded", "Records read and folded.", stats.records)
        refused = CounterMetricFamily(f"{_P}_records_refused", "Records that the fold refused.", labels=["verdict"])
        for verdict, count in tuple(stats.refused.items()):
            refused.add_metric([verdict], count)
        yield refused
        yield CounterMetricFamily(f"{_P}_records_appended", "Records acknowledged by the log.", worker.outbox.records)
        yield CounterMetricFamily(f"{_P}_records_rejected", "Unreadable records copied aside.", stats.rejected)
        yield CounterMetricFamily(f"{_P}_rebalances", "Changes of the partitions owned.", stats.rebalances)
        yield CounterMetricFamily(f"{_P}_checkpoints", "Checkpoints written.", stats.checkpoints)
        yield CounterMetricFamily(
            f"{_P}_digest_alarms", "Checkpoints of another state than this process knew.", stats.alarms
        )
        yield CounterMetricFamily(f"{_P}_restores", "Partitions restored.", stats.restores)
        yield GaugeMetricFamily(f"{_P}_restore_seconds", "Duration of the last restore.", stats.restore_seconds)
        yield GaugeMetricFamily(f"{_P}_outbox_bytes", "Bytes on their way to the log.", worker.outbox.bytes)
        yield GaugeMetricFamily(f"{_P}_event_loop_lag_seconds", "Longest block of the loop of late.", stats.loop_lag)
        owned = [s for s in tuple(worker.partitions.values()) if s.active]
        yield GaugeMetricFamily(f"{_P}_partitions_owned", "Partitions served by this process.", len(owned))
        yield GaugeMetricFamily(
            f"{_P}_runs_open", "Open runs of those partitions.", sum(len(s.fold.runs) for s in owned)
        )
        yield from self._reactors()

    def _reactors(self) -> Iterator[Metric]:
        worker = self._worker
        steps = CounterMetricFamily(f"{_P}_steps", "Attempts made, by result.", labels=["reactor", "result"])
        waiting = GaugeMetricFamily(f"{_P}_steps_waiting", "Steps in the queue.", labels=["reactor"])
        running = GaugeMetricFamily(f"{_P}_steps_running", "Handlers at work.", labels=["reactor"])
        handler = HistogramMetricFamily(f"{_P}_handler_duration_seconds", "Time in the handler.", labels=["reactor"])
        queued = HistogramMetricFamily(f"{_P}_queue_duration_seconds", "Time before the handler.", labels=["reactor"])
        for name, stats in worker.stats.reactors.items():
            for result in ("done", "retried", "failed", "superseded"):
                steps.add_metric([name, result], getattr(stats, result))
            waiting.add_metric([name], worker.dispatcher.waiting(name))
            running.add_metric([name], worker.dispatcher.running(name))
            handler.add_metric([name], *_buckets(stats.handler))
            queued.add_metric([name], *_buckets(stats.queued))
        yield from (steps, waiting, running, handler, queued)


class MetricsServer:
    """Serves ``/metrics``, ``/healthz`` and ``/readyz`` of one worker; use as a context manager.

    Raises:
        StoreMisconfigured: the port is taken.
    """

    def __init__(self, worker: "Worker", host: str, port: int) -> None:
        registry = CollectorRegistry()
        registry.register(WorkerCollector(worker))

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path == "/metrics":
                    self._answer(200, generate_latest(registry), CONTENT_TYPE_LATEST)
                elif self.path == "/healthz":
                    self._answer(200, b"ok\n")
                elif self.path == "/readyz":
                    ready = worker.ready
                    self._answer(200 if ready else 503, b"ready\n" if ready else b"restoring\n")
                else:
                    self._answer(404, b"there are /metrics, /healthz and /readyz\n")

            def _answer(self, status: int, body: bytes, kind: str = "text/plain; charset=utf-8") -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        try:
            self._server = ThreadingHTTPServer((host, port), Handler)
        except OSError as e:
            raise StoreMisconfigured(
                f"metrics cannot be served on {host}:{port}: {e.strerror}; choose another port"
            ) from e
        self._thread = threading.Thread(target=self._server.serve_forever, name="farandole-metrics", daemon=True)
        self.port = self._server.server_address[1]
        """The port that is listened on."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _release() -> str:
    try:
        return version("farandole")
    except PackageNotFoundError:
        return "unknown"


def _buckets(histogram: Histogram) -> tuple[list[tuple[str, float]], float]:
    total = 0
    buckets: list[tuple[str, float]] = []
    for bound, count in zip((*map(str, BUCKETS), "+Inf"), histogram.counts, strict=True):
        total += count
        buckets.append((bound, total))
    return buckets, histogram.total
