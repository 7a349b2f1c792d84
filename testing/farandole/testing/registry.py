"""A real schema registry without Docker: Apicurio, which Maven fetches once, on Java 17 or later.

It keeps its schemas in memory and speaks Confluent's API, on a free port of the loopback interface:

    with SchemaRegistry() as registry:
        await orders.work(f"{broker.url}?registry={registry.url}")

What is killed has forgotten everything when it is started again. ``python -m farandole.testing.registry --port 8081``
runs one until SIGTERM. The program is kept where that of `farandole.testing.broker` is.
"""

import argparse
import shutil
import subprocess
import sys
import tarfile
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from .server import Command, ServerFailed, ServerProcess, fetched, kept, serve_until_told

APICURIO: Final = "2.6.13.Final"
API: Final = "/apis/ccompat/v7"
_JAR: Final = f"apicurio-registry-app-{APICURIO}-runner.jar"


class RegistryFailed(ServerFailed):
    """The registry could not be fetched or started. The message ends with the tail of its log."""


def missing_tools() -> list[str]:
    """What is not installed of what a registry needs: names of programs, empty if all are there."""
    wanted = ("java",) if _folder().is_dir() else ("java", "mvn")
    return [tool for tool in wanted if shutil.which(tool) is None]


class SchemaRegistry(ServerProcess):
    """One registry of one's own. Not safe for use by several threads at once.

    Args:
        port: where to listen; 0 takes a free port, which is kept over restarts.
        heap: the largest Java heap, as Java writes it.
    """

    called = "Apicurio"
    failed = RegistryFailed

    def __init__(self, port: int = 0, *, heap: str = "256m") -> None:
        super().__init__(port)
        self._heap = heap

    @property
    def url(self) -> str:
        """Of Confluent's API, for ``FARANDOLE_REGISTRY``."""
        return f"http://127.0.0.1:{self.port}{API}"

    def _command(self) -> Command:
        words = [
            "java", f"-Xmx{self._heap}", "-XX:+UseSerialGC", "-Dquarkus.http.host=127.0.0.1",
            f"-Dquarkus.http.port={self.port}", "-jar", _JAR,
        ]  # fmt: skip
        return Command(words, {"cwd": fetch_registry()})

    def _serves(self, skip: int) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/config", timeout=5) as answer:  # noqa: S310  # our own URL
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False


def fetch_registry() -> Path:
    """The folder with the registry's program; fetched with Maven the first time, and then kept.

    Raises:
        RegistryFailed: Java or Maven is missing, or Maven failed.
    """
    if absent := missing_tools():
        raise RegistryFailed(
            f"Apicurio needs {' and '.join(absent)}: on Debian, apt install openjdk-17-jre-headless maven"
        )
    return fetched(_folder(), _fetch)


def _fetch(work: Path) -> Path:
    artifact = f"io.apicurio:apicurio-registry-app:{APICURIO}:tar.gz:all"
    done = subprocess.run(  # noqa: S603
        ["mvn", "-q", "-B", "dependency:copy", f"-Dartifact={artifact}", "-DoutputDirectory=fetched"],  # noqa: S607
        cwd=work, capture_output=True, text=True, check=False,
    )  # fmt: skip
    found = list(work.glob("fetched/*.tar.gz"))
    if done.returncode or not found:
        raise RegistryFailed(f"Maven could not fetch Apicurio {APICURIO}:\n{done.stdout[-4000:]}{done.stderr[-2000:]}")
    with tarfile.open(found[0]) as archive:
        archive.extractall(work / "program", filter="data")
    return work / "program"


def _folder() -> Path:
    return kept() / f"apicurio-{APICURIO}"


def main(argv: Sequence[str] | None = None) -> int:
    """Run a registry until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m farandole.testing.registry", description=main.__doc__)
    parser.add_argument("--port", type=int, default=8081)
    args = parser.parse_args(argv)
    registry = SchemaRegistry(args.port)
    return serve_until_told(registry, registry.url)


if __name__ == "__main__":
    sys.exit(main())
