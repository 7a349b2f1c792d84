"""The worker processes of a cell, and what can be done to them."""

import json
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil

from flow.workers import SERVICES, run_module

from .ledger import clock_offset

TROUBLE = ("Traceback", "never retrieved", "never awaited", "was destroyed", "Unclosed")
"""What no worker may ever log, whatever is done to it."""


@dataclass(slots=True)
class Death:
    """A worker that was killed, and how many records the log had then."""

    service: str
    member: str
    pid: int
    at: int
    """Milliseconds since 1970 UTC."""


@dataclass(slots=True)
class Hand:
    """One worker: a process that comes back under its name."""

    service: str
    name: str
    url: str
    folder: Path
    partitions: int = 8
    static: bool = True
    release: str = "1"
    environment: Mapping[str, str] = field(default_factory=dict)
    module: str = "chaos.worker"
    lives: int = 0
    """How many processes it has been."""
    _process: "subprocess.Popen[str] | None" = None

    @property
    def member(self) -> str:
        return f"{self.service}-{self.name}"

    @property
    def log(self) -> Path:
        return self.folder / f"{self.member}.log"

    @property
    def pid(self) -> int:
        return self._process.pid if self._process else 0

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def ended(self) -> int | None:
        """How its process ended by itself; None if it runs, or was ended on purpose."""
        return None if self._process is None else self._process.poll()

    def start(self, point: str = "", nth: int = 0) -> None:
        """Start its process; it may die by itself at a failpoint."""
        job = {
            "service": self.service, "url": self.url, "folder": str(self.folder), "partitions": self.partitions,
            "member": self.member, "static": self.static, "release": self.release, "point": point, "nth": nth,
        }  # fmt: skip
        more = {"CHAOS_CLOCK_OFFSET": repr(clock_offset()), "FAKETIME_DONT_FAKE_MONOTONIC": "1", **self.environment}
        with self.log.open("a") as log:
            self._process = run_module(self.module, json.dumps(job), environment=more, stdout=log, stderr=log)
        self.lives += 1

    def kill(self) -> Death:
        """End it with SIGKILL."""
        death = Death(self.service, self.member, self.pid, _now())
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        return death

    def ask_to_stop(self) -> None:
        self.signal(signal.SIGTERM)

    def has_stopped(self) -> bool:
        """Whether it ended after it was asked to."""
        if self._process is not None and self._process.poll() is not None:
            self._process = None
        return self._process is None

    def signal(self, what: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(what)

    def memory(self) -> int:
        """Bytes that its process holds now."""
        return int(psutil.Process(self.pid).memory_info().rss) if self.alive else 0

    def files(self) -> int:
        """File descriptors that its process has now."""
        return psutil.Process(self.pid).num_fds() if self.alive else 0

    def complaints(self) -> list[str]:
        """Lines of its log that tell of a fault of ours."""
        if not self.log.exists():
            return []
        lines = self.log.read_text(errors="replace").splitlines()
        return [f"{self.member}: {line}" for line in lines if any(word in line for word in TROUBLE)]


class Crew:
    """Workers of all services, some of each. Use as a context manager; leaving it kills what is left."""

    def __init__(
        self,
        url: str,
        folder: Path,
        names: Sequence[str] = ("a",),
        services: Iterable[str] = SERVICES,
        **options: Any,
    ) -> None:
        self.hands = [Hand(service, name, url, folder, **options) for name in names for service in services]
        self.deaths: list[Death] = []
        self.gone: list[Hand] = []
        """Those that left for good."""

    def of(self, service: str) -> list[Hand]:
        return [hand for hand in self.hands if hand.service == service]

    def kill(self, hand: Hand) -> Death:
        self.deaths.append(death := hand.kill())
        return death

    def start(self) -> None:
        for hand in self.hands:
            hand.start()

    def check(self) -> None:
        """Raise if a worker ended that nobody ended."""
        for hand in self.hands:
            if hand.ended is not None:
                said = hand.log.read_text(errors="replace")[-4000:]
                raise RuntimeError(f"{hand.member} ended with {hand.ended}:\n{said}")

    def complaints(self) -> list[str]:
        return [line for hand in (*self.hands, *self.gone) for line in hand.complaints()]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for hand in (*self.hands, *self.gone):
            hand.kill()


def _now() -> int:
    return time.time_ns() // 1_000_000
