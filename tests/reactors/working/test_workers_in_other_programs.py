"""A worker runs as a process of its own until it is told to stop, or inside a block of another program."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.reactors.working.controls import Begun, Done, eventually

from farandole.eventstore import StoreMisconfigured
from farandole.reactors import Choreography
from farandole.reactors.errors import ServedElsewhere
from farandole.schemas import DeclarationError

PROGRAM = """
import asyncio, sys
from tests.reactors.working.test_workers_in_other_programs import Program
program = Program()
asyncio.run(program.main(sys.argv[1]))
print("ended", program.closed, flush=True)
"""

STARTS_FOR_EVER = """
import asyncio, sys
from tests.reactors.working.test_workers_in_other_programs import Bank, Begun, Choreography, Done
dance = Choreography("dance")
@dance.provide
async def bank() -> Bank:
    print("begun", flush=True)
    await asyncio.Event().wait()
@dance.reactor
async def end(begun: Begun, bank: Bank) -> Done: ...
async def main(): await dance.work(sys.argv[1])
asyncio.run(main())
print("ended", flush=True)
"""


class Bank: ...


class Program:
    """An application with a worker in it."""

    def __init__(self, service: str = "dance") -> None:
        self.closed = False
        self.dance = Choreography("dance", service=service)

        @self.dance.provide
        async def bank() -> AsyncIterator[Bank]:
            yield Bank()
            self.closed = True

        @self.dance.reactor
        async def end(begun: Begun, bank: Bank) -> Done:
            assert isinstance(bank, Bank)
            print("at work for", begun.n, flush=True)
            await asyncio.sleep(begun.n / 1000)
            return Done(n=begun.n)

    async def main(self, url: str) -> None:
        await self.dance.work(url)


async def test_it_works_while_the_block_runs_and_closes_what_it_made(tmp_path: Path) -> None:
    program = Program()
    async with program.dance.work(f"sqlite:///{tmp_path}/a.db", partitions=2) as client:
        assert await (await client.start(Begun(n=3))).result(Done) == Done(n=3)
        assert not program.closed
    assert program.closed


async def test_an_error_in_the_block_stops_the_worker_and_is_raised() -> None:
    program = Program()
    with pytest.raises(KeyError):
        async with program.dance.work("memory://"):
            raise KeyError
    assert program.closed


async def test_what_keeps_it_from_beginning_is_raised_at_once() -> None:
    url = "memory://refused"
    async with Program("one").dance.work(url) as client:
        await (await client.start(Begun())).result(Done)
        with pytest.raises(ServedElsewhere):
            async with Program("two").dance.work(url) as other:
                await (await other.start(Begun())).result(Done)
    with pytest.raises(StoreMisconfigured):
        await Program().dance.work("nonsense://")
    missing = Choreography("dance")

    @missing.reactor
    async def end(begun: Begun, bank: Bank) -> Done:
        return Done()

    with pytest.raises(DeclarationError, match="nothing provides Bank"):
        await missing.work("memory://")


async def test_a_worker_that_breaks_down_inside_the_block_says_so(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    from farandole.reactors.keeping import Keeper

    broken = asyncio.Event()

    async def run(self: object, partitions: object) -> None:
        await broken.wait()
        raise StoreMisconfigured("the topic is gone")

    monkeypatch.setattr(Keeper, "run", run)
    with pytest.raises(StoreMisconfigured):
        async with Program().dance.work("memory://"):
            broken.set()
            await eventually(lambda: "has broken down: the topic is gone" in caplog.text)


async def start(url: str, program: str = PROGRAM) -> Any:
    root = Path(__file__).parents[3]
    parts = [root, *(root / part for part in ("schemas", "eventstore", "projections", "reactors", "testing"))]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, parts))}
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, url, cwd=root, env=environment,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
async def test_a_process_ends_what_it_is_at_and_closes_when_it_is_told_to_stop(
    tmp_path: Path, sign: signal.Signals
) -> None:
    url = f"sqlite:///{tmp_path}/a.db"
    async with Program().dance.connect(url, partitions=1) as client:
        process = await start(url)
        try:
            await (await client.start(Begun())).result(Done, timeout="30s")
            await client.start(Begun(n=600))
            while (line := await process.stdout.readline()) != b"at work for 600\n":
                assert line, "it has ended"
            process.send_signal(sign)
            out, err = await asyncio.wait_for(process.communicate(), 30)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        assert process.returncode == 0, err.decode()
        assert out.decode().split() == ["ended", "True"]


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
async def test_a_process_that_is_told_to_stop_while_it_starts_closes_too(tmp_path: Path, sign: signal.Signals) -> None:
    process = await start(f"sqlite:///{tmp_path}/a.db", STARTS_FOR_EVER)
    try:
        async with asyncio.timeout(120):
            assert await process.stdout.readline() == b"begun\n"
            process.send_signal(sign)
            out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, err.decode()
    assert out == b"ended\n"


async def test_a_process_that_is_killed_is_followed_by_another_and_a_client_elsewhere_sees_it(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/a.db?session=1"
    async with Program().dance.connect(url, partitions=2) as client:
        first = await start(url)
        try:
            runs = [await client.start(Begun(n=100), run_id=f"run-{n}") for n in range(10)]
            await runs[0].result(Done, timeout="30s")
            more = [await client.start(Begun(n=300), run_id=f"more-{n}") for n in range(10)]
        finally:
            first.kill()
            await first.wait()
        second = await start(url)
        try:
            for run in (*runs, *more):
                await run.result(Done, timeout="30s")
            for run in more:
                assert [r.name async for r in run.events()] == ["dance.Begun", "dance.Done"]
        finally:
            second.kill()
            await second.wait()
