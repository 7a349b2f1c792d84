"""A real PostgreSQL of one's own, from the programs that Debian's ``postgresql`` or any other installation brings.

On a free port of the loopback interface, without a password:

    with PostgresServer() as server:
        database = Database(server.url, "farandole_orders")

`kill` does what a crash does. ``python -m farandole.testing.postgres --port 5432`` runs one until SIGTERM.
"""

import argparse
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from .server import Command, ServerFailed, ServerProcess, serve_until_told

_USERS: Final = ("postgres", "nobody")
"""PostgreSQL refuses to run as root: whoever is root lets it run as one of these."""
_DATABASE: Final = "farandole"


class PostgresFailed(ServerFailed):
    """The server could not be made or started. The message ends with the tail of its log."""


def programs() -> Path | None:
    """The folder with ``initdb`` and ``postgres``; None if there is none."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    folders = [p.parent for p in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    return max(folders, key=lambda folder: int(folder.parent.name), default=None)


class PostgresServer(ServerProcess):
    """One server. Not safe for use by several threads at once.

    Args:
        port: where to listen; 0 takes a free port, which is kept over restarts.
        data: the data folder, which is then kept; without one a temporary folder, removed by `close`.
        config: settings, over the built-in ones.
        safe: let the disk keep what was committed, as production does. Without, a crash of the machine may lose it, and
            one of the server does not.
    """

    called = "PostgreSQL"
    failed = PostgresFailed
    ended_by = signal.SIGINT  # a fast shutdown

    def __init__(
        self, port: int = 0, *, data: Path | None = None, config: Mapping[str, str] | None = None, safe: bool = False
    ) -> None:
        super().__init__(port, data=data)
        relaxed = {} if safe else {"fsync": "off", "full_page_writes": "off"}
        self._config = {**relaxed, **(config or {})}

    @property
    def url(self) -> str:
        """A database of it."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{_DATABASE}"

    def _command(self) -> Command:
        bin, data = _programs(), self.home / "data"
        if not data.exists():
            self._make(bin, data)
        settings = {
            "listen_addresses": "127.0.0.1", "port": str(self.port), "unix_socket_directories": "", "max_connections": "50",
            **self._config,
        }  # fmt: skip
        words = [str(bin / "postgres"), "-D", str(data), *(w for k, v in settings.items() for w in ("-c", f"{k}={v}"))]
        return Command(words, {"cwd": self.home, **_somebody()})

    def _serves(self, skip: int) -> bool:
        ready = [str(_programs() / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return not subprocess.run(ready, check=False).returncode  # noqa: S603

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

    def _end(self, how: signal.Signals, timeout: float) -> None:
        """Its children follow as soon as they see it gone."""
        if self._process is None:
            return
        super()._end(how, timeout)
        _until(lambda: not _busy(self.home / "data" / "postmaster.pid"))


def _programs() -> Path:
    if (bin := programs()) is None:
        raise PostgresFailed("PostgreSQL is not installed: on Debian, apt install postgresql")
    return bin


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
    server = PostgresServer(args.port, data=args.data)
    return serve_until_told(server, server.url)


if __name__ == "__main__":
    sys.exit(main())
