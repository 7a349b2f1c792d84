"""A real Apache Kafka without Docker: Maven fetches its jars once, Java 17 or later runs them.

One node in KRaft mode, broker and controller in one process, on free ports of the loopback interface:

    with KafkaBroker() as broker:
        store = await connect(broker.url, "orders")

`kill` and `restart` do to a broker what production does. ``python -m farandole.testing.broker --port 9092`` runs one
until SIGTERM. The jars are kept in ``$FARANDOLE_CACHE``, by default ``~/.cache/farandole``.
"""

import argparse
import os
import shutil
import subprocess
import sys
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from .server import Command, ServerFailed, ServerProcess, fetched, free_port, kept, serve_until_told

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


class BrokerFailed(ServerFailed):
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


class KafkaBroker(ServerProcess):
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

    called = "Kafka"
    failed = BrokerFailed

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
        super().__init__(port, data=data)
        self._controller = controller or free_port()
        self._cluster = cluster or new_cluster()
        self.listeners = {each.name: _placed(each) for each in listeners}
        self._config = dict(config or {})
        self._format_args = list(format)
        self._heap = heap

    @property
    def bootstrap(self) -> str:
        """``host:port`` of the plain listener."""
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """The store URL of the plain listener."""
        return f"kafka://{self.bootstrap}"

    def _command(self) -> Command:
        jars = fetch_jars()
        properties = self._write_properties()
        if not (self.home / "log" / "meta.properties").exists():
            self._format(jars, properties)
        return Command(self._java(jars, "kafka.Kafka", str(properties)))

    def _serves(self, skip: int) -> bool:
        return STARTED in self._logged(skip)

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
    return fetched(_jars_dir(), _fetch)


def _fetch(work: Path) -> Path:
    (work / "pom.xml").write_text(_POM)
    done = subprocess.run(
        ["mvn", "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=jars", "-DincludeScope=runtime"],  # noqa: S607
        cwd=work, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise BrokerFailed(f"Maven could not fetch Kafka {KAFKA}:\n{done.stdout[-4000:]}{done.stderr[-2000:]}")
    return work / "jars"


def _jars_dir() -> Path:
    return kept() / f"kafka-{KAFKA}"


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
    broker = KafkaBroker(
        args.port, data=args.data, heap=args.heap, config=dict(each.split("=", 1) for each in args.set)
    )
    return serve_until_told(broker, broker.url)


if __name__ == "__main__":
    sys.exit(main())
