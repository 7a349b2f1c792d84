"""The servers that the systems keep their runs in, each as durable as it is by default."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar, Final

from benchmarks.agents.environments import temporal
from benchmarks.options import opened, servers_of
from farandole.testing.postgres import PostgresServer
from farandole.testing.server import Command, ServerFailed, ServerProcess

SYSTEMS: Final = {
    "farandole": "kafka",
    "calfkit": "kafka",
    "langgraph": "postgresql",
    "dbos": "postgresql",
    "temporal": "temporal",
}


class TemporalServer(ServerProcess):
    """Temporal's development server, which keeps an SQLite file."""

    called: ClassVar[str] = "Temporal"
    failed: ClassVar[type[ServerFailed]] = ServerFailed

    def _command(self) -> Command:
        self.home.mkdir(parents=True, exist_ok=True)
        file = str(Path(self.home) / "temporal.db")
        words = [temporal(), "server", "start-dev", "--headless", "--port", str(self.port), "--db-filename", file]
        return Command(words)

    def _serves(self, skip: int) -> bool:
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.port)) == 0


@contextmanager
def server_for(rival: str, store: str) -> Iterator[str]:
    """Where a system's process finds its server, which is made for it.

    Args:
        store: of those on Kafka, as ``--store`` has it.
    """
    kind = SYSTEMS[rival]
    if kind == "postgresql":
        with PostgresServer(safe=True, config={"max_connections": "200", "shared_buffers": "256MB"}) as server:
            yield server.url
    elif kind == "temporal":
        with TemporalServer() as development:
            yield f"127.0.0.1:{development.port}"
    else:
        with opened(store) as url:
            yield servers_of(url)
