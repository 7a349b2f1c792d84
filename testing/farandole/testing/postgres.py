"""A real PostgreSQL of one's own, from the programs that Debian's ``postgresql`` or any other installation brings.

On a free port of the loopback interface, without a password:

    with PostgresServer() as server:
        database = Database(server.url, "farandole_orders")

`kill` does what a crash does. ``python -m farandole.testing.postgres --port 5432`` runs one until SIGTERM.
"""

import argparse
import atexit
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from .broker import free_port, guard

_USERS: Final = ("postgres", "nobody")
"""PostgreSQL refuses to run as root: whoever is root lets it run as one of these."""
_DATABASE: Final = "farandole"


class PostgresFailed(RuntimeError):
    """The server could not be made or started. The message ends with the tail of its log."""


def programs() -> Path | None:
    """The folder with ``initdb`` and ``postgres``; None if there is none."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    folders = [p.parent for p in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    return max(folders, key=lambda folder: int(folder.parent.name), default=None)


class PostgresServer:
    """One server. Not safe for use by several threads at once.

    Args:
        port: where to listen; 0 takes a free port, which is kept over restarts.
        data: the data folder, which is then kept; without one a temporary folder, removed by `close`.
        config: settings, over the built-in ones.
        safe: let the disk keep what was committed, as production does. Without, a crash of the machine may lose it, and
            one of the server does not.
    """

    def __init__(
        self, port: int = 0, *, data: Path | None = None, config: Mapping[str, str] | None = None, safe: bool = False
    ) -> None:
        self.port = port or free_port()
        self._keep = data is not None
        self.home = data or Path(tempfile.mkdtemp(prefix="farandole-postgres-"))
        self.log = self.home / "server.log"
        relaxed = {} if safe else {"fsync": "off", "full_page_writes": "off"}
        self._config = {**relaxed, **(config or {})}
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """A database of it."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{_DATABASE}"

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self, *, timeout: float = 60) -> "PostgresServer":
        """Start, and wait until clients are served.

        Raises:
            PostgresFailed: it is not installed, or did not come up within ``timeout`` seconds.
        """
        if self.running:
            return self
        bin = programs()
        if bin is None:
            raise PostgresFailed("PostgreSQL is not installed: on Debian, apt install postgresql")
        data = self.home / "data"
        if not data.exists():
            self._make(bin, data)
        atexit.register(self.kill)
        settings = {
            "listen_addresses": "127.0.0.1", "port": str(self.port), "unix_socket_directories": "", "max_connections": "50",
            **self._config,
        }  # fmt: skip
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603
                [str(bin / "postgres"), "-D", str(data), *(w for k, v in settings.items() for w in ("-c", f"{k}={v}"))],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True, cwd=self.home, **_somebody(),
            )  # fmt: skip
        self._guard = guard(self._process.pid)
        self._wait(bin, timeout)
        return self

    def stop(self, *, timeout: float = 30) -> None:
        """End it as an operator would (a fast shutdown), and by force after ``timeout`` seconds."""
        self._end(signal.SIGINT, timeout)

    def kill(self) -> None:
        """End it at once (SIGKILL): its children follow as soon as they see it gone."""
        self._end(signal.SIGKILL, 10)

    def restart(self, *, timeout: float = 60) -> None:
        """Start again on the same data and port; stops first if it runs."""
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
        """The last lines of the server's log."""
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    def __enter__(self) -> "PostgresServer":
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _make(self, bin: Path, data: Path) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        if user := _somebody().get("user"):
            os.chown(self.home, pwd.getpwnam(user).pw_uid, -1)
        self._run(
            str(bin / "initdb"), "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"
        )
        # Before anybody can connect, and so without a server.
        self._run(
            str(bin / "postgres"),
            "--single",
            "-D",
            str(data),
            "postgres",
            given=f"CREATE DATABASE {_DATABASE}\n".encode(),
        )

    def _run(self, *command: str, given: bytes | None = None) -> None:
        done = subprocess.run(command, input=given, capture_output=True, check=False, cwd=self.home, **_somebody())  # noqa: S603
        if done.returncode:
            raise PostgresFailed(
                f"{Path(command[0]).name} failed:\n{(done.stdout + done.stderr).decode(errors='replace')}"
            )

    def _wait(self, bin: Path, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        ready = [str(bin / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        while subprocess.run(ready, check=False).returncode:  # noqa: S603
            if not self.running:
                self.kill()
                raise PostgresFailed(f"PostgreSQL ended while it started.\n{self.tail()}")
            if time.monotonic() > deadline:
                self.kill()
                raise PostgresFailed(f"PostgreSQL did not start within {timeout:g} s.\n{self.tail()}")
            time.sleep(0.05)

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
        _until(lambda: not _busy(self.home / "data" / "postmaster.pid"))


def _busy(pid_file: Path) -> bool:
    """Whether children of a server that was killed still hold its data."""
    try:
        shared = pid_file.read_text().splitlines()[6].split()[1]
    except (OSError, IndexError):
        return False
    try:
        segments = Path("/proc/sysvipc/shm").read_text().splitlines()[1:]
    except OSError:
        return False
    return any(line.split()[1] == shared and int(line.split()[6]) > 0 for line in segments)


def _until(done: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not done() and time.monotonic() < deadline:
        time.sleep(0.02)


def _somebody() -> dict[str, Any]:
    """Who runs it."""
    if os.geteuid():
        return {}
    known = {user.pw_name for user in pwd.getpwall()}
    return {"user": next((user for user in _USERS if user in known), "root")}


def main(argv: Sequence[str] | None = None) -> int:
    """Run a server until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m farandole.testing.postgres", description=main.__doc__)
    parser.add_argument("--port", type=int, default=5432)
    parser.add_argument("--data", type=Path, help="keep the data here; without it, nothing is kept")
    args = parser.parse_args(argv)
    signals = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        with PostgresServer(args.port, data=args.data) as server:
            sys.stdout.write(f"{server.url}\n")
            sys.stdout.flush()
            signal.sigwait(signals)
    except PostgresFailed as e:
        sys.stderr.write(f"{e}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
