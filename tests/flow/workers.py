"""Worker processes of the order example that are killed and come back."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from tempfile import TemporaryFile
from types import TracebackType
from typing import IO, Self

SERVICES = ("payments", "warehouse", "shipping")
REACTORS = 6
"""How many they have together."""
_TESTS = Path(__file__).parents[1]


def run_module(
    module: str, *args: str, environment: Mapping[str, str] | None = None, **options: object
) -> "subprocess.Popen[str]":
    """Start ``python -m module args`` with this process's import path, and these variables besides its own."""
    path = os.pathsep.join([str(_TESTS), str(_TESTS.parent / "examples"), *filter(None, sys.path)])
    command = [sys.executable, "-m", module, *args]
    env = {**os.environ, "PYTHONPATH": path, **(environment or {})}
    # Many images set it; then each process would compile all of Farandole anew before it begins.
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    return subprocess.Popen(command, env=env, text=True, **options)  # type: ignore[call-overload, no-any-return]


@dataclass(slots=True)
class Kill:
    """A worker's death."""

    service: str
    at: int
    """Milliseconds since 1970 UTC."""
    records: int
    """How many records the log had then."""


@dataclass(slots=True)
class Worker:
    """A process that comes back under its name."""

    service: str
    url: str
    folder: Path
    partitions: int = 16
    member: str = "one"
    points: list[int] = field(default_factory=list)
    """How many records the log has when it is killed, the next one last."""
    process: "subprocess.Popen[str] | None" = None
    read: int = 0
    """Bytes of its log that were looked at."""

    @property
    def log(self) -> Path:
        return self.folder / f"{self.service}-{self.member}.log"

    def start(self) -> None:
        ledger = str(self.folder / "ledger")
        with self.log.open("a") as log:
            args = (self.service, self.url, str(self.partitions), f"{self.service}-{self.member}", ledger)
            self.process = run_module("flow.orders_worker", *args, stdout=log, stderr=log)

    def check(self) -> None:
        """Raise if the process ended by itself, or logged a traceback."""
        code = None if self.process is None else self.process.poll()
        if code is None and self.log.stat().st_size == self.read:
            return
        said = self.log.read_bytes()[self.read :].decode(errors="replace")
        if code is not None or "Traceback" in said:
            how = "is in trouble" if code is None else f"ended with {code}"
            raise RuntimeError(f"{self.service} {how}:\n{said[:6000]}")
        self.read += len(said.encode())

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()


class Workers:
    """One worker for each service and member. Use as a context manager; leaving it kills what is left.

    Attributes:
        kills: who was killed when.
    """

    def __init__(self, url: str, folder: Path, partitions: int = 16, members: Sequence[str] = ("one",)) -> None:
        self.all = [Worker(service, url, folder, partitions, member) for member in members for service in SERVICES]
        self.kills: list[Kill] = []

    def __enter__(self) -> Self:
        for worker in self.all:
            worker.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self.all:
            worker.kill()

    def plan(self, random: Random, times: int, records: Sequence[int]) -> None:
        """Kill each worker so many times: at a random length of the log in each of as many equal parts of a range."""
        part = len(records) // times
        for worker in self.all:
            worker.points = [records[n * part + random.randrange(part)] for n in reversed(range(times))]

    @property
    def to_die(self) -> int:
        """How many kills are still to come."""
        return sum(len(worker.points) for worker in self.all)

    def kill_what_is_due(self, records: int) -> None:
        """Kill with SIGKILL, and start again at once, whose time has come, once each."""
        for worker in self.all:
            if worker.points and worker.points[-1] <= records:
                worker.points.pop()
                worker.kill()
                self.kills.append(Kill(worker.service, time.time_ns() // 1_000_000, records))
                worker.start()

    def check(self) -> None:
        """Raise if a worker is not as it should be."""
        for worker in self.all:
            worker.check()

    def complaints(self) -> list[str]:
        """What the workers logged, at level WARNING and above."""
        return [line for worker in self.all for line in worker.log.read_text().splitlines()]


class OrdersClient:
    """A process that starts orders. Use as a context manager; leaving it ends the process."""

    def __init__(self, url: str, count: int, partitions: int = 16) -> None:
        self._args = (url, str(count), str(partitions))
        self._process: subprocess.Popen[str] | None = None
        self._output: IO[str] = TemporaryFile("w+")  # noqa: SIM115

    def start(self) -> None:
        self._process = run_module("flow.orders_client", *self._args, stdout=self._output)

    @property
    def done(self) -> bool:
        """Whether it has started all.

        Raises:
            RuntimeError: it failed.
        """
        code = None if self._process is None else self._process.poll()
        if code:
            raise RuntimeError(f"the client ended with {code}")
        return code == 0

    @property
    def started(self) -> list[str]:
        """Ids of the runs whose start was acknowledged."""
        self._output.seek(0)
        return self._output.read().split()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
