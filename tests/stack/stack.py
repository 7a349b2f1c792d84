"""What the stack is made of, and how it is started: in the order of docker-compose.yml, and with its files."""

import os
import shutil
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from farandole.testing.broker import KafkaBroker, missing_tools
from farandole.testing.postgres import PostgresServer, programs
from farandole.testing.server import free_port

from .processes import Process, farandole, has_command

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
WORKERS = ("payments", "kitchen", "delivery")
_PARTS = ("schemas", "eventstore", "projections", "reactors", "testing", "dashboard", "cli")
_APP = "farandole.cli.demo.{}:bakery"
_PARTITIONS = "4"
_PATIENCE = 120.0
_AGAIN = 0.2


class Missing(RuntimeError):
    """What cannot be done without is not installed."""


@dataclass
class Stack:
    """What runs, and where."""

    store: str
    db: str
    home: Path
    processes: list[Process] = field(default_factory=list)
    targets: dict[str, str] = field(default_factory=dict)
    """Where each process tells its metrics, by its name in docker-compose.yml."""
    server: str | None = None
    """The dashboard's URL; None: there is no such command here."""
    token: str = ""
    """What to log in with."""
    prometheus: str | None = None
    """Its URL; None: it is not installed here."""
    left_out: list[str] = field(default_factory=list)
    """What is not there, and why."""

    def check(self) -> None:
        """Raise if one of its processes has ended."""
        for process in self.processes:
            process.check()


@contextmanager
def started(*, quick: bool = False) -> Iterator[Stack]:
    """Start all of it; end it, and remove what it left, when the block ends.

    Args:
        quick: have Prometheus look each second.

    Raises:
        Missing: Kafka cannot be started here.
    """
    if missing := missing_tools():
        raise Missing(f"{' and '.join(missing)} is not installed (Debian: openjdk-17-jre-headless, maven)")
    with ExitStack() as ends:
        home = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="farandole-stack-")))
        broker = ends.enter_context(KafkaBroker())
        stack = Stack(broker.url, f"sqlite:///{home / 'runs.db'}", home)
        if programs() is None:
            stack.left_out.append("PostgreSQL is not installed (Debian: postgresql); the tables are in a SQLite file")
        else:
            stack.db = ends.enter_context(PostgresServer()).url
        env = _environment(stack)

        def start(name: str, command: list[str]) -> None:
            stack.processes.append(ends.enter_context(closing(Process(name, command, env, home))))

        for name in WORKERS:
            port = free_port()
            stack.targets[name] = f"127.0.0.1:{port}"
            start(name, farandole("work", _APP.format(name), "--partitions", _PARTITIONS, "--metrics-port", str(port)))
        _until_ready(stack, "payments")  # the log is theirs to make
        app = _APP.format("kitchen")
        if has_command("serve", env):
            port = free_port()
            stack.targets["server"] = f"127.0.0.1:{port}"
            stack.server = f"http://127.0.0.1:{port}"
            start("server", farandole("serve", app, "--host", "127.0.0.1", "--port", str(port)))
        else:
            stack.left_out.append("there is no command serve here, so no dashboard; farandole project keeps the tables")
            start("server", farandole("project", app))
        if (program := shutil.which("prometheus")) is None:
            stack.left_out.append("Prometheus is not installed (Debian: prometheus)")
        else:
            port = free_port()
            stack.prometheus = f"http://127.0.0.1:{port}"
            configure_prometheus(stack, quick=quick)
            listens = f"--web.listen-address=127.0.0.1:{port}"
            start("prometheus", [program, "--config.file=prometheus.yml", "--storage.tsdb.path=prometheus", listens])
        stack.left_out.append("Grafana is not in Debian; deploy/grafana has its dashboard, for docker compose")
        yield stack


def configure_prometheus(stack: Stack, *, quick: bool) -> None:
    """Write the configuration of docker-compose.yml, with the addresses that things have here."""
    text = (DEPLOY / "prometheus/prometheus.yml").read_text()
    for name in WORKERS:
        text = text.replace(f'"{name}:9464"', f'"{stack.targets[name]}"')
    text = text.replace('targets: ["server:8600"]', f"targets: {_listed(stack.targets.get('server'))}")
    if quick:
        text = text.replace("interval: 5s", "interval: 1s")
    (stack.home / "prometheus.yml").write_text(text)
    shutil.copy(DEPLOY / "prometheus/rules.yml", stack.home / "rules.yml")
    shutil.copy(stack.home / "secrets/prometheus", stack.home / "token")


def _until_ready(stack: Stack, name: str) -> None:
    """Wait until a process says that it is ready."""
    until = time.monotonic() + _PATIENCE
    while True:
        stack.check()
        try:
            with urllib.request.urlopen(f"http://{stack.targets[name]}/readyz", timeout=5):
                return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(_AGAIN)


def _listed(target: str | None) -> str:
    return "[]" if target is None else f'["{target}"]'


def _environment(stack: Stack) -> dict[str, str]:
    """What the processes are told: where things are, and who may come in."""
    shutil.copy(DEPLOY / "secrets.sh", stack.home)
    subprocess.run(["bash", stack.home / "secrets.sh"], check=True, capture_output=True, timeout=60)
    stack.token = (stack.home / "secrets/yours").read_text()
    ours = {
        "PYTHONPATH": os.pathsep.join(str(ROOT / part) for part in _PARTS),
        "FARANDOLE_STORE": stack.store,
        "FARANDOLE_DB": stack.db,
        "FARANDOLE_TOKENS": str(stack.home / "secrets/tokens"),
    }
    return {**{k: v for k, v in os.environ.items() if not k.startswith("FARANDOLE_")}, **ours}
