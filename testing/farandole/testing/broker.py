"""A real Apache Kafka without Docker: Maven fetches its jars once, Java 17 or later runs them.

One node in KRaft mode, broker and controller in one process, on free ports of the loopback interface:

    with KafkaBroker() as broker:
        store = await connect(broker.url, "orders")

`kill` and `restart` do to a broker what production does. ``python -m farandole.testing.broker --port 9092`` runs one
until SIGTERM. The jars are kept in ``$FARANDOLE_CACHE``, by default ``~/.cache/farandole``.
"""

import argparse
import atexit
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

KAFKA: Final = "4.3.1"
SLF4J_BINDING: Final = "2.25.4"
STARTED: Final = b"Kafka Server started"

_POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>farandole</groupId><artifactId>kafka</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>{KAFKA}</version></dependency>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId><version>{KAFKA}</version></dependency>
    <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>{SLF4J_BINDING}</version></dependency>
  </dependencies>
</project>
"""

_LOGGING = """rootLogger.level = info
rootLogger.appenderRef.console.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d] %p %m (%c)%n
"""


class BrokerFailed(RuntimeError):
    """The broker could not be fetched, formatted or started. The message ends with the tail of its log."""


@dataclass(frozen=True)
class Listener:
    """One more address at which the broker listens.

    Attributes:
        name: upper case, without hyphens.
        protocol: PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL.
        port: where the broker listens; 0 takes a free one.
        advertised: the port that clients are told, where a proxy stands before the broker; 0: the same.
        config: settings of this listener, without their ``listener.name.<name>.`` prefix.
    """

    name: str
    protocol: str = "PLAINTEXT"
    port: int = 0
    advertised: int = 0
    config: Mapping[str, str] = field(default_factory=dict, repr=False)


def missing_tools() -> list[str]:
    """What is not installed of what a broker needs: names of programs, empty if all are there."""
    if _jars_dir().is_dir():
        return [] if shutil.which("java") else ["java"]
    return [tool for tool in ("java", "mvn") if shutil.which(tool) is None]


def new_cluster() -> str:
    """A random id for a cluster."""
    return urlsafe_b64encode(os.urandom(16)).decode().rstrip("=").replace("-", "x")


def free_port() -> int:
    """A port of the loopback interface that nobody listens on.

    It lies below the range from which systems take the ports of outgoing connections, so it stays free.
    """
    for _ in range(200):
        port = random.randint(15_000, 31_999)  # noqa: S311
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise BrokerFailed("no free port between 15000 and 31999 was found: free some, or name one with port=")


class KafkaBroker:
    """One Kafka node of one's own. Not safe for use by several threads at once.

    Args:
        port: where to listen; 0 takes a free port, which is kept over restarts.
        data: the data folder, which is then kept; without one a temporary folder, removed by `close`.
        config: further lines of server.properties, over the built-in ones.
        listeners: further addresses.
        format: further arguments of ``kafka-storage.sh format``, as ``--add-scram`` for users.
        heap: the largest Java heap, as Java writes it.
        controller: the port of its controller, for brokers that make one cluster; 0 takes a free one.
        cluster: the id of the cluster that it belongs to; None makes one of its own.
    """

    def __init__(
        self,
        port: int = 0,
        *,
        data: Path | None = None,
        config: Mapping[str, str] | None = None,
        listeners: Sequence[Listener] = (),
        format: Sequence[str] = (),
        heap: str = "1g",
        controller: int = 0,
        cluster: str | None = None,
    ) -> None:
        self.port = port or free_port()
        self._controller = controller or free_port()
        self._cluster = cluster or new_cluster()
        self._keep = data is not None
        self.home = data or Path(tempfile.mkdtemp(prefix="farandole-kafka-"))
        self.log = self.home / "broker.log"
        self.listeners = {each.name: _placed(each) for each in listeners}
        self._config = dict(config or {})
        self._format_args = list(format)
        self._heap = heap
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap(self) -> str:
        """``host:port`` of the plain listener."""
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """The store URL of the plain listener."""
        return f"kafka://{self.bootstrap}"

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self, *, timeout: float = 60) -> "KafkaBroker":
        """Start, and wait until clients are served.

        Raises:
            BrokerFailed: a tool is missing, or the broker did not come up within ``timeout`` seconds.
        """
        if self.running:
            return self
        jars = fetch_jars()
        properties = self._write_properties()
        if not (self.home / "log" / "meta.properties").exists():
            self._format(jars, properties)
        atexit.register(self.kill)
        skip = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603
                self._java(jars, "kafka.Kafka", str(properties)), stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                start_new_session=True,
            )  # fmt: skip
        self._guard = guard(self._process.pid)
        deadline = time.monotonic() + timeout
        while STARTED not in self._logged(skip):
            if not self.running:
                self.kill()
                raise BrokerFailed(f"Kafka ended while it started.\n{self.tail()}")
            if time.monotonic() > deadline:
                self.kill()
                raise BrokerFailed(f"Kafka did not start within {timeout:g} s.\n{self.tail()}")
            time.sleep(0.05)
        return self

    def stop(self, *, timeout: float = 30) -> None:
        """End it as an operator would (SIGTERM), and by force after ``timeout`` seconds."""
        self._end(signal.SIGTERM, timeout)

    def kill(self) -> None:
        """End it at once, as a power cut would end the process (SIGKILL)."""
        self._end(signal.SIGKILL, 10)

    def pause(self) -> None:
        """Freeze it (SIGSTOP): connections stay open and nothing answers."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on after `pause`."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)

    def restart(self, *, timeout: float = 60) -> None:
        """Start again on the same data and ports; stops first if it runs."""
        self.stop()
        self.start(timeout=timeout)

    def close(self) -> None:
        """Stop, and remove the data unless a folder was given."""
        if self._keep:
            self.stop()
        else:
            self.kill()
            shutil.rmtree(self.home, ignore_errors=True)
        atexit.unregister(self.kill)

    def tail(self, lines: int = 40) -> str:
        """The last lines of the broker's log."""
        return "\n".join(self._logged().decode(errors="replace").splitlines()[-lines:])

    def __enter__(self) -> "KafkaBroker":
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _end(self, how: signal.Signals, timeout: float) -> None:
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(how)
            try:
                self._process.wait(timeout)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(10)
        self._process = None
        if self._guard is not None:
            self._guard.kill()
            self._guard.communicate()
            self._guard = None

    def _logged(self, skip: int = 0) -> bytes:
        try:
            with self.log.open("rb") as log:
                log.seek(skip)
                return log.read()
        except FileNotFoundError:
            return b""

    def _java(self, jars: Path, main: str, *args: str) -> list[str]:
        return [
            "java", "-Xms128m", f"-Xmx{self._heap}", "-XX:+UseG1GC", "-Djava.awt.headless=true",
            f"-Dlog4j2.configurationFile={self.home / 'log4j2.properties'}", "-cp", f"{jars}/*", main, *args,
        ]  # fmt: skip

    def _format(self, jars: Path, properties: Path) -> None:
        done = subprocess.run(  # noqa: S603
            self._java(jars, "kafka.tools.StorageTool", "format", "-t", self._cluster, "-c", str(properties), *self._format_args),
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise BrokerFailed(f"Kafka's storage could not be formatted in {self.home}.\n{done.stdout}{done.stderr}")

    def _write_properties(self) -> Path:
        self.home.mkdir(parents=True, exist_ok=True)
        (self.home / "log4j2.properties").write_text(_LOGGING)
        path = self.home / "server.properties"
        path.write_text("".join(f"{k}={v}\n" for k, v in self._properties().items()))
        return path

    def _properties(self) -> dict[str, str]:
        main = Listener("PLAINTEXT", port=self.port)
        outside = [main, *self.listeners.values()]
        control = Listener("CONTROLLER", port=self._controller)
        own = {f"listener.name.{each.name.lower()}.{k}": v for each in outside for k, v in each.config.items()}
        return {
            "process.roles": "broker,controller",
            "node.id": "1",
            "listeners": ",".join(f"{each.name}://127.0.0.1:{each.port}" for each in [*outside, control]),
            "advertised.listeners": ",".join(
                f"{each.name}://127.0.0.1:{each.advertised or each.port}" for each in outside
            ),
            "listener.security.protocol.map": ",".join(f"{each.name}:{each.protocol}" for each in [*outside, control]),
            "controller.quorum.voters": f"1@127.0.0.1:{self._controller}",
            "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": "PLAINTEXT",
            "log.dirs": str(self.home / "log"),
            "offsets.topic.replication.factor": "1",
            "offsets.topic.num.partitions": "4",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "share.coordinator.state.topic.replication.factor": "1",
            "share.coordinator.state.topic.min.isr": "1",
            "group.initial.rebalance.delay.ms": "0",
            "group.min.session.timeout.ms": "500",
            "auto.create.topics.enable": "false",
            "broker.session.timeout.ms": "1000",
            "broker.heartbeat.interval.ms": "200",
        } | own | self._config  # fmt: skip


def fetch_jars() -> Path:
    """The folder with Kafka's jars; fetched with Maven the first time, and then kept.

    Raises:
        BrokerFailed: Java or Maven is missing, or Maven failed.
    """
    if absent := missing_tools():
        raise BrokerFailed(f"Kafka needs {' and '.join(absent)}: on Debian, apt install openjdk-17-jre-headless maven")
    jars = _jars_dir()
    if jars.is_dir():
        return jars
    jars.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="fetch-", dir=jars.parent) as work:
        (Path(work) / "pom.xml").write_text(_POM)
        done = subprocess.run(
            ["mvn", "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=jars", "-DincludeScope=runtime"],  # noqa: S607
            cwd=work, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise BrokerFailed(f"Maven could not fetch Kafka {KAFKA}:\n{done.stdout[-4000:]}{done.stderr[-2000:]}")
        try:
            (Path(work) / "jars").rename(jars)
        except OSError:
            # Another process was first; its folder is as good, for a rename is all or nothing.
            if not jars.is_dir():
                raise
    return jars


def guard(pid: int) -> subprocess.Popen[bytes]:
    """End a process when this one is gone, however it went: that closes the pipe on which the guard waits."""
    return subprocess.Popen(  # noqa: S603
        ["sh", "-c", 'cat >/dev/null; kill -KILL "$1"', "sh", str(pid)],  # noqa: S607
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip


def _jars_dir() -> Path:
    cache = os.environ.get("FARANDOLE_CACHE")
    return (Path(cache) if cache else Path.home() / ".cache" / "farandole") / f"kafka-{KAFKA}"


def _placed(listener: Listener) -> Listener:
    if listener.port:
        return listener
    return Listener(listener.name, listener.protocol, free_port(), listener.advertised, listener.config)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a broker until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m farandole.testing.broker", description=main.__doc__)
    parser.add_argument("--port", type=int, default=9092)
    parser.add_argument("--data", type=Path, help="keep the data here; without it, nothing is kept")
    parser.add_argument("--heap", default="1g")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a line of server.properties")
    args = parser.parse_args(argv)
    signals = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        with KafkaBroker(
            args.port, data=args.data, heap=args.heap, config=dict(each.split("=", 1) for each in args.set)
        ) as broker:
            sys.stdout.write(f"{broker.url}\n")
            sys.stdout.flush()
            signal.sigwait(signals)
    except BrokerFailed as e:
        sys.stderr.write(f"{e}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
