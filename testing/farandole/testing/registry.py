"""A real schema registry without Docker: Apicurio, which Maven fetches once, on Java 17 or later.

It keeps its schemas in memory and speaks Confluent's API, on a free port of the loopback interface:

    with SchemaRegistry() as registry:
        await orders.work(f"{broker.url}?registry={registry.url}")

What is killed has forgotten everything when it is started again. ``python -m farandole.testing.registry --port 8081``
runs one until SIGTERM. The program is kept where that of `farandole.testing.broker` is.
"""

import argparse
import atexit
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from .broker import free_port, guard

APICURIO: Final = "2.6.13.Final"
API: Final = "/apis/ccompat/v7"
_JAR: Final = f"apicurio-registry-app-{APICURIO}-runner.jar"


class RegistryFailed(RuntimeError):
    """The registry could not be fetched or started. The message ends with the tail of its log."""


def missing_tools() -> list[str]:
    """What is not installed of what a registry needs: names of programs, empty if all are there."""
    wanted = ("java",) if _folder().is_dir() else ("java", "mvn")
    return [tool for tool in wanted if shutil.which(tool) is None]


class SchemaRegistry:
    """One registry of one's own. Not safe for use by several threads at once.

    Args:
        port: where to listen; 0 takes a free port, which is kept over restarts.
        heap: the largest Java heap, as Java writes it.
    """

    def __init__(self, port: int = 0, *, heap: str = "256m") -> None:
        self.port = port or free_port()
        self._heap = heap
        self._home = Path(tempfile.mkdtemp(prefix="farandole-registry-"))
        self._log = self._home / "registry.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Of Confluent's API, for ``FARANDOLE_REGISTRY``."""
        return f"http://127.0.0.1:{self.port}{API}"

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self, *, timeout: float = 60) -> "SchemaRegistry":
        """Start, and wait until it answers.

        Raises:
            RegistryFailed: a tool is missing, or it did not come up within ``timeout`` seconds.
        """
        if self.running:
            return self
        folder = fetch_registry()
        atexit.register(self.kill)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603
                ["java", f"-Xmx{self._heap}", "-XX:+UseSerialGC", "-Dquarkus.http.host=127.0.0.1",  # noqa: S607
                 f"-Dquarkus.http.port={self.port}", "-jar", _JAR],
                cwd=folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
        self._guard = guard(self._process.pid)
        deadline = time.monotonic() + timeout
        while not self._answers():
            if not self.running:
                self.kill()
                raise RegistryFailed(f"Apicurio ended while it started.\n{self.tail()}")
            if time.monotonic() > deadline:
                self.kill()
                raise RegistryFailed(f"Apicurio did not start within {timeout:g} s.\n{self.tail()}")
            time.sleep(0.1)
        return self

    def kill(self) -> None:
        """End it at once, as a power cut would end the process (SIGKILL)."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None
        if self._guard is not None:
            self._guard.kill()
            self._guard.communicate()
            self._guard = None

    def pause(self) -> None:
        """Freeze it (SIGSTOP): connections stay open and nothing answers."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on after `pause`."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        """End it, and remove what it left."""
        self.kill()
        shutil.rmtree(self._home, ignore_errors=True)
        atexit.unregister(self.kill)

    def tail(self, lines: int = 40) -> str:
        """The last lines of its log."""
        try:
            return "\n".join(self._log.read_text(errors="replace").splitlines()[-lines:])
        except FileNotFoundError:
            return ""

    def __enter__(self) -> "SchemaRegistry":
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _answers(self) -> bool:
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
    folder = _folder()
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    artifact = f"io.apicurio:apicurio-registry-app:{APICURIO}:tar.gz:all"
    with tempfile.TemporaryDirectory(prefix="fetch-", dir=folder.parent) as work:
        done = subprocess.run(  # noqa: S603
            ["mvn", "-q", "-B", "dependency:copy", f"-Dartifact={artifact}", "-DoutputDirectory=fetched"],  # noqa: S607
            cwd=work, capture_output=True, text=True, check=False,
        )  # fmt: skip
        found = list(Path(work).glob("fetched/*.tar.gz"))
        if done.returncode or not found:
            raise RegistryFailed(
                f"Maven could not fetch Apicurio {APICURIO}:\n{done.stdout[-4000:]}{done.stderr[-2000:]}"
            )
        with tarfile.open(found[0]) as archive:
            archive.extractall(Path(work) / "program", filter="data")
        try:
            (Path(work) / "program").rename(folder)
        except OSError:
            # Another process was first; its folder is as good, for a rename is all or nothing.
            if not folder.is_dir():
                raise
    return folder


def _folder() -> Path:
    cache = os.environ.get("FARANDOLE_CACHE")
    return (Path(cache) if cache else Path.home() / ".cache" / "farandole") / f"apicurio-{APICURIO}"


def main(argv: Sequence[str] | None = None) -> int:
    """Run a registry until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m farandole.testing.registry", description=main.__doc__)
    parser.add_argument("--port", type=int, default=8081)
    args = parser.parse_args(argv)
    signals = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        with SchemaRegistry(args.port) as registry:
            sys.stdout.write(f"{registry.url}\n")
            sys.stdout.flush()
            signal.sigwait(signals)
    except RegistryFailed as e:
        sys.stderr.write(f"{e}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
