"""What is said to be killed while a rebuild is under way is killed then, and at no other time."""

import asyncio
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from .rebuilding import Rebuilds, wrong_rebuilds

PLACED = "8 records in 1.2 s, 7 a second; the tables are in place"
WAITS = """
import pathlib, sys, threading
while not pathlib.Path(sys.argv[1]).exists():
    threading.Event().wait(0.01)
print(sys.argv[2])
"""


class Keepers:
    """Stands for those that can be killed: a rebuild whose tables come when the test says so, and that ends then."""

    def __init__(self, folder: Path, tables: int | None) -> None:
        self.tables = tables
        self.looks = 0
        self.process: asyncio.subprocess.Process | None = None
        self._end = folder / "end"

    async def rebuild(self) -> asyncio.subprocess.Process:
        # A process that starts no other: while it does, it could not be stopped.
        command = (sys.executable, "-c", WAITS, str(self._end), PLACED)
        self.process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        return self.process

    def shadow(self) -> int | None:
        self.looks += 1
        return self.tables

    def end(self) -> None:
        self._end.touch()

    async def looked(self, times: int) -> None:
        until = self.looks + times
        async with asyncio.timeout(20):
            while self.looks < until:
                await asyncio.sleep(0.01)


@pytest.mark.parametrize("first", ["the rebuild", "the kill"])
@pytest.mark.parametrize("before", [None, 7])
async def test_the_kill_waits_for_tables_of_this_rebuild_and_it_stands_still_meanwhile(
    tmp_path: Path, before: int | None, first: str
) -> None:
    keepers: Any = Keepers(tmp_path, before)
    rebuilds = Rebuilds(keepers, ["a projector"])
    states: list[str] = []
    tasks: list[asyncio.Task[None]] = []

    async def end() -> None:
        states.append(psutil.Process(keepers.process.pid).status())

    steps = [rebuilds.run(), rebuilds.kill("a projector", end, lambda: None)]
    for step in steps if first == "the rebuild" else reversed(steps):
        tasks.append(asyncio.create_task(step))
        await asyncio.sleep(0.05)
    await keepers.looked(5)
    assert not states
    keepers.tables = 8
    async with asyncio.timeout(20):
        while not rebuilds.all[0].under_way or not states:
            await asyncio.sleep(0.01)
        assert states == [psutil.STATUS_STOPPED]
        keepers.end()
        await asyncio.gather(*tasks)
    assert [each.under_way for each in rebuilds.all] == [{"a projector"}]
    assert list(wrong_rebuilds(rebuilds.all, ["a projector"])) == []


async def test_rebuilds_go_on_until_each_kind_was_killed_under_one(tmp_path: Path) -> None:
    keepers: Any = Keepers(tmp_path, None)
    keepers.end()
    rebuilds = Rebuilds(keepers, ["a projector"])
    running = asyncio.create_task(rebuilds.run())
    async with asyncio.timeout(20):
        while len(rebuilds.all) < 3:
            await asyncio.sleep(0.01)
    assert not running.done()
    running.cancel()
    await asyncio.wait([running])
    said = list(wrong_rebuilds(rebuilds.all[:2], ["a projector"]))
    assert said == ["no kill of a projector fell into a rebuild under way: it was not tried"]
