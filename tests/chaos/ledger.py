"""What workers really did, as each of them notes it in a file that all of them share, whatever becomes of them."""

import os
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

Execution = tuple[str, str, str, str]
"""Reactor, run, trigger, attempt."""


class Note(NamedTuple):
    """One line."""

    at: int
    """Milliseconds since 1970 UTC, by the machine's clock whatever the process believes."""
    member: str
    pid: int
    what: str
    """``begins`` or ``ends`` (a handler), ``blocks`` (the event loop, under a key), ``dies`` (at a failpoint), ``claims``
    (by this name)."""
    about: tuple[str, ...]


class Ledger:
    """Appends lines, each with one call of the system, so that none is torn."""

    def __init__(self, path: Path, member: str) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        self._begin = f"{member} {os.getpid()}"

    def note(self, what: str, *about: str) -> None:
        os.write(self._file, f"{_now()} {self._begin} {what} {' '.join(about)}\n".encode())


def _now() -> int:
    # Not the time of day, which a process may be wrong about.
    return int((time.clock_gettime(time.CLOCK_MONOTONIC) + _offset()) * 1000)


def _offset() -> float:
    return float(os.environ.get("CHAOS_CLOCK_OFFSET", "0"))


def clock_offset() -> float:
    """What a process adds to the monotonic clock to have the time of day; for its children's environment."""
    return time.time() - time.clock_gettime(time.CLOCK_MONOTONIC)


class Notes:
    """What stands in the file, read on from where reading ended."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._at = 0
        self._notes: list[Note] = []

    def all(self) -> list[Note]:
        if self._path.exists():
            with self._path.open("rb") as file:
                file.seek(self._at)
                new = file.read()
            whole = new[: new.rfind(b"\n") + 1]
            self._at += len(whole)
            self._notes += map(_note, whole.decode().splitlines())
        return self._notes

    def blocked(self) -> list[str]:
        """Who kept its event loop from running, each time."""
        return [n.member for n in self.all() if n.what == "blocks"]

    def begun(self, reactor: str, run: str) -> list[str]:
        """Who began a run's step, each time."""
        return [n.member for n in self.all() if n.what == "begins" and n.about[:2] == (reactor, run)]


def _note(line: str) -> Note:
    at, member, pid, what, *about = line.split(" ")
    return Note(int(at), member, int(pid), what, tuple(about))


def executed_again(notes: list[Note]) -> int:
    """How often a handler was called for an attempt that had been begun before."""
    begun = Counter(note.about for note in notes if note.what == "begins")
    return begun.total() - len(begun)
