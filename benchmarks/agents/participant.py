"""A process of a system that is measured, in the environment of that system."""

import asyncio
import json
import os
import tempfile
from typing import Any, Self

from benchmarks.agents.environments import NEEDS, python_of
from benchmarks.process import ROOT

_START = 60.0


class Participant:
    """A process of `contest`. Use as an async context manager; leaving it kills the process.

    Args:
        rival: which system.
        job: what it is to do.
    """

    def __init__(self, rival: str, job: dict[str, Any]) -> None:
        self._command = (python_of(rival), "-m", "benchmarks.agents.contest", json.dumps(job))
        self._env = dict(os.environ)
        self._env.pop("PYTHONDONTWRITEBYTECODE", None)
        if rival in NEEDS:
            self._env.pop("PYTHONPATH", None)
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self._process: asyncio.subprocess.Process

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            *self._command, stdout=asyncio.subprocess.PIPE, stderr=self._errors, cwd=ROOT, env=self._env
        )
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.kill()
        self._errors.close()

    @property
    def alive(self) -> bool:
        return self._process.returncode is None

    async def ready(self) -> None:
        """Wait until it works.

        Raises:
            RuntimeError: it does not come to it.
        """
        await self._line("ready", _START)

    async def figures(self, within: float) -> dict[str, Any]:
        """What it measured.

        Raises:
            RuntimeError: it failed, or took longer than so many seconds.
        """
        found: dict[str, Any] = json.loads(await self._line("{", within))
        return found

    async def kill(self) -> None:
        """End it with SIGKILL."""
        if self.alive:
            self._process.kill()
        await self._process.communicate()

    def said(self) -> str:
        """The end of what it wrote to stderr."""
        self._errors.seek(0)
        return self._errors.read().strip()[-1500:] or "nothing"

    async def _line(self, begins: str, within: float) -> str:
        """The next line of its output that begins so: a library may print, too."""
        out = self._process.stdout
        try:
            async with asyncio.timeout(within):
                while out is not None and (line := (await out.readline()).decode()):
                    if line.startswith(begins):
                        return line
        except TimeoutError as e:
            raise RuntimeError(f"it took longer than {within:g} s; it says: {self.said()}") from e
        await self._process.wait()
        raise RuntimeError(f"it ended with {self._process.returncode}; it says: {self.said()}")
