"""A server as a process of one's own: what a broker, a database and a registry for tests have in common."""

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
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Final, Self

_LOOK: Final = 0.05


class ServerFailed(RuntimeError):
    """A server could not be fetched, made or started. The message ends with the tail of its log."""


@dataclass(frozen=True, slots=True)
class Command:
    """How a server is started.

    Attributes:
        words: the program and its arguments.
        options: further arguments of `subprocess.Popen`.
    """

    words: Sequence[str]
    options: Mapping[str, Any] = field(default_factory=dict)


class ServerProcess(ABC):
    """One server. Not safe for use by several threads at once.

    Args:
        port: where it listens; 0 takes a free port, which is kept over restarts.
        data: the data folder, which is then kept; without one a temporary folder, removed by `close`.
    """

    called: ClassVar[str]
    """What messages call it."""
    failed: ClassVar[type[ServerFailed]]
    """What is raised."""
    ended_by: ClassVar[signal.Signals] = signal.SIGTERM
    """What an operator would end it with."""

    def __init__(self, port: int = 0, *, data: Path | None = None) -> None:
        self.port = port or free_port()
        self._keep = data is not None
        self.home = data or Path(tempfile.mkdtemp(prefix=f"farandole-{self.called.lower()}-"))
        self.log = self.home / "server.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def _command(self) -> Command:
        """Make what it needs, and say how it is started."""

    @abstractmethod
    def _serves(self, skip: int) -> bool:
        """Whether clients are served.

        Args:
            skip: bytes of the log that are of former lives.
        """

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The id of its process; 0 while it does not run."""
        return self._process.pid if self._process is not None and self.running else 0

    def start(self, *, timeout: float = 60) -> Self:
        """Start, and wait until clients are served.

        Raises:
            ServerFailed: something is not installed, or it did not come up within ``timeout`` seconds.
        """
        if self.running:
            return self
        command = self._command()
        atexit.register(self.kill)
        skip = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603
                command.words, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True, **command.options
            )  # fmt: skip
        self._guard = guard(self._process.pid)
        deadline = time.monotonic() + timeout
        while not self._serves(skip):
            if not self.running:
                self.kill()
                raise self.failed(f"{self.called} ended while it started.\n{self.tail()}")
            if time.monotonic() > deadline:
                self.kill()
                raise self.failed(f"{self.called} did not start within {timeout:g} s.\n{self.tail()}")
            time.sleep(_LOOK)
        return self

    def stop(self, *, timeout: float = 30) -> None:
        """End it as an operator would, and by force after ``timeout`` seconds."""
        self._end(self.ended_by, timeout)

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
        """The last lines of its log."""
        return "\n".join(self._logged().decode(errors="replace").splitlines()[-lines:])

    def __enter__(self) -> Self:
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
    raise ServerFailed("no free port between 15000 and 31999 was found: free some, or name one with port=")


def guard(pid: int) -> subprocess.Popen[bytes]:
    """End a process when this one is gone, however it went: that closes the pipe on which the guard waits."""
    return subprocess.Popen(  # noqa: S603
        ["sh", "-c", 'cat >/dev/null; kill -KILL "$1"', "sh", str(pid)],  # noqa: S607
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip


def kept() -> Path:
    """The folder in which fetched programs are kept: ``$FARANDOLE_CACHE``, by default ``~/.cache/farandole``."""
    cache = os.environ.get("FARANDOLE_CACHE")
    return Path(cache) if cache else Path.home() / ".cache" / "farandole"


def fetched(folder: Path, fetch: Callable[[Path], Path]) -> Path:
    """A folder that is fetched the first time, and then kept.

    Args:
        fetch: fetches what belongs there into a folder for its work, and returns where it is.
    """
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="fetch-", dir=folder.parent) as work:
        there = fetch(Path(work))
        try:
            there.rename(folder)
        except OSError:
            # Another process was first; its folder is as good, for a rename is all or nothing.
            if not folder.is_dir():
                raise
    return folder


def serve_until_told(server: ServerProcess, where: str) -> int:
    """Run a server until SIGTERM or SIGINT, as a command does; the exit code.

    Args:
        where: printed once it serves.
    """
    signals = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        with server:
            sys.stdout.write(f"{where}\n")
            sys.stdout.flush()
            signal.sigwait(signals)
    except ServerFailed as e:
        sys.stderr.write(f"{e}\n")
        return 1
    return 0
