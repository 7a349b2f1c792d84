"""Worker processes that are measured: started, watched from outside, and ended."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any, Self

import psutil

ROOT = Path(__file__).resolve().parent.parent
_START = 60.0
_END = 60.0


class WorkerProcess:
    """A process that prints ``ready`` when it works and ends at SIGTERM. Use as an async context manager.

    Args:
        module: run as ``python -m``.
        args: its arguments.
        env: what its environment has besides that of this process.
    """

    def __init__(self, module: str, *args: str, env: dict[str, str] | None = None) -> None:
        self._command = (sys.executable, "-m", module, *args)
        self._env = {**os.environ, **(env or {})}
        # Many images set it; then each process would compile all of Farandole anew before it begins.
        self._env.pop("PYTHONDONTWRITEBYTECODE", None)
        self._process: asyncio.subprocess.Process
        self._seen: psutil.Process

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            *self._command, stdout=asyncio.subprocess.PIPE, cwd=ROOT, env=self._env
        )
        self._seen = psutil.Process(self._process.pid)
        try:
            async with asyncio.timeout(_START):
                said = await self.line()
        except TimeoutError:
            said = None
        if said != "ready":
            await self.__aexit__()
            raise SystemExit(f"a worker did not start: {' '.join(self._command[1:])}; what it wrote is above")
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._process.returncode is None:
            self._process.terminate()
        try:
            async with asyncio.timeout(_END):
                await self._process.communicate()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

    async def line(self) -> str | None:
        """The next line that it prints; None when it has ended."""
        out = self._process.stdout
        said = await out.readline() if out is not None else b""
        return said.decode().strip() if said else None

    async def json(self) -> Any:
        """The next line that it prints, as JSON.

        Raises:
            SystemExit: it has ended instead.
        """
        line = await self.line()
        if line is None:
            raise SystemExit(f"a worker ended too early: {' '.join(self._command[1:])}; what it wrote is above")
        return json.loads(line)

    @property
    def alive(self) -> bool:
        return self._process.returncode is None

    def cpu(self) -> float:
        """CPU seconds so far, of all its threads."""
        return cpu_of(self._seen)

    def rss(self) -> int:
        """Bytes of memory in use."""
        return int(self._seen.memory_info().rss)

    def files(self) -> int:
        """Open file descriptors."""
        return int(self._seen.num_fds())

    def threads(self) -> int:
        return int(self._seen.num_threads())


def cpu_of(process: psutil.Process) -> float:
    """CPU seconds of a process so far, its threads included."""
    times = process.cpu_times()
    return float(times.user + times.system)


def broker() -> psutil.Process | None:
    """The broker that this process started, if it did."""
    return next((p for p in psutil.Process().children() if p.name() == "java"), None)
