"""A worker's metrics for Prometheus, and its readiness, on a small HTTP server in a thread of its own.

In a thread, so that it answers, and says so, even while a handler blocks the event loop. Numbers are read from the
worker's counters when somebody asks; nothing is computed for them while steps run.
"""

import asyncio
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import TYPE_CHECKING, Self

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, ProcessCollector, generate_latest

from farandole.eventstore import StoreMisconfigured

from .collector import WorkerCollector

if TYPE_CHECKING:
    from .worker import Worker


class MetricsServer:
    """Serves ``/metrics``, ``/healthz`` and ``/readyz`` of one worker; use as a context manager, in the worker's loop.

    Raises:
        StoreMisconfigured: the port is taken.
    """

    def __init__(self, worker: "Worker", host: str, port: int) -> None:
        registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        registry.register(WorkerCollector(worker, asyncio.get_running_loop()))

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
