"""Three workers of one of the examples, which are killed with -9 in the midst of work and come back under their names."""

import asyncio
import json
import subprocess
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Any, NamedTuple, Self

from checker import Examination

from .orders_hold import digests_of_the_framework
from .watch import contracts, topics_of
from .workers import run_module

MEMBERS = ("one", "two", "three")
PARTITIONS = 6
KILLS = 10


class Deed(NamedTuple):
    """Something that a handler did to the world."""

    member: str
    process: int
    what: str
    to: Sequence[Any]
    result: Any


@dataclass(slots=True)
class Worker:
    """A process that comes back.

    Attributes:
        patience: how many deeds it does before it is killed, for each time that it will be, the next one last.
    """

    member: str
    command: Sequence[str]
    log: Path
    patience: list[int] = field(default_factory=list)
    process: "subprocess.Popen[str] | None" = None

    def start(self) -> None:
        with self.log.open("a") as log:
            self.process = run_module("flow.example_worker", *self.command, stdout=log, stderr=log)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()


class Crew:
    """Workers at work. Use as a context manager; leaving it kills what is left.

    Args:
        example: the name of the example's module.
        name: of its choreography.
        url: of the log.
        folder: where the ledger and the workers' logs are kept.
        seconds: how long the world takes for each deed.
        first: when its schedules tick, in seconds since 1970 UTC.
        random: decides after how many deeds who is killed.
        most: after how many at most.
    """

    def __init__(
        self, example: str, name: str, url: str, folder: Path, random: Random,
        *, seconds: float, first: int | None = None, most: int = 8,
    ) -> None:  # fmt: skip
        self.name = name
        self._ledger = folder / "ledger"
        more = [] if first is None else [str(first)]
        self.workers = [
            Worker(
                member,
                (example, name, url, str(PARTITIONS), member, str(self._ledger), str(seconds), *more),
                folder / f"{member}.log",
                [random.randint(1, most) for _ in range(KILLS)],
            )
            for member in MEMBERS
        ]

    def __enter__(self) -> Self:
        for worker in self.workers:
            worker.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self.workers:
            worker.kill()

    @property
    def to_die(self) -> int:
        """How many kills are still to come."""
        return sum(len(worker.patience) for worker in self.workers)

    def check(self) -> None:
        """Raise if a worker ended by itself."""
        for worker in self.workers:
            if worker.process is not None and (code := worker.process.poll()) is not None:
                raise RuntimeError(f"worker {worker.member} ended with {code}:\n{worker.log.read_text()[-6000:]}")

    def kill_who_is_at_work(self) -> None:
        """Kill each worker whose time has come, and start it again at once."""
        done = self.deeds
        for worker in self.workers:
            if worker.patience and worker.process is not None:
                count = sum(deed.process == worker.process.pid for deed in done)
                if count >= worker.patience[-1]:
                    worker.patience.pop()
                    worker.kill()
                    worker.start()

    @property
    def deeds(self) -> list[Deed]:
        """All that was done, in order."""
        if not self._ledger.exists():
            return []
        return [Deed(*json.loads(line)) for line in self._ledger.read_text().splitlines()]


async def watch(
    bootstrap: str, crew: Crew, reactors: int, play: Callable[[], Awaitable[None]], patience: float
) -> Examination:
    """Play once all contracts are in force, and read the log until that is over, every kill done and every run closed.

    Raises:
        TimeoutError: that took longer than so many seconds.
        RuntimeError: a worker ended by itself.
    """
    async with asyncio.timeout(patience), await topics_of(bootstrap, crew, crew.name) as topics:
        records = await contracts(topics, crew, reactors)
        found = Examination(topics.partitions, await topics.table())
        found.take(records)
        player = asyncio.ensure_future(play())
        try:
            while not player.done() or crew.to_die or found.closed < len(found.runs):
                found.take(await topics.read())
                crew.kill_who_is_at_work()
                crew.check()
                if player.done():
                    await player
        finally:
            player.cancel()
        found.take(await topics.catch_up())
        return found


def assert_no_promise_is_broken(found: Examination) -> None:
    """No step has two outcomes, none is forgotten, and the framework's own fold says the same as the checker."""
    assert found.conclude() == []
    assert digests_of_the_framework(found) == [part.fold.digest for part in found.partitions]
