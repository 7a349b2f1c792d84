"""Processes of the stack: each with its output in a file, and none that outlives this one."""

import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from farandole.testing.server import guard

_GRACE = 20.0


class ProcessEnded(RuntimeError):
    """One of the processes is not there any more. The message ends with the tail of its output."""


class Process:
    """One process of the stack.

    Args:
        name: what it is called.
        command: its words.
        env: all of its environment.
        home: where its output goes.
    """

    def __init__(self, name: str, command: Sequence[str], env: Mapping[str, str], home: Path) -> None:
        self.name = name
        self.log = home / f"{name}.log"
        # In a session of its own, so that Ctrl-C reaches this process alone, which then ends the others in order.
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                env=dict(env),
                cwd=home,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._guard = guard(self._process.pid)

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def check(self) -> None:
        """Raise if it has ended."""
        if not self.running:
            raise ProcessEnded(f"{self.name} ended with {self._process.returncode}.\n{self.tail()}")

    def tail(self, lines: int = 20) -> str:
        """The last lines of its output."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def close(self) -> None:
        """End it as a supervisor would, and by force if it takes too long."""
        if self.running:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(_GRACE)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._guard.kill()
        self._guard.wait()


def farandole(*words: str) -> list[str]:
    """A command of ours."""
    return [sys.executable, "-m", "farandole.cli", *words]


def has_command(name: str, env: Mapping[str, str]) -> bool:
    """Whether there is such a command."""
    asked = subprocess.run(farandole(name, "--help"), env=dict(env), capture_output=True, timeout=60)
    return asked.returncode == 0
