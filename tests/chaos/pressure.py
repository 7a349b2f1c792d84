"""Load: a process that starts orders, and what it says of them."""

import json
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

from flow.workers import run_module

FOR_EVER = 10**9


class Load:
    """Starts orders at a rate; with ``advised``, each is told what a model used for it. The process of a load that was not stopped is ended by `kill`."""

    def __init__(
        self,
        url: str,
        folder: Path,
        partitions: int,
        *,
        rate: float,
        first: int = 1,
        most: int = FOR_EVER,
        cards: Mapping[int, str] | None = None,
        advised: bool = False,
    ) -> None:
        self._said = folder / f"load-{first}"
        job = {
            "url": url, "partitions": partitions, "rate": rate, "first": first, "most": most,
            "cards": {str(number): card for number, card in (cards or {}).items()},
            "advised": advised,
        }  # fmt: skip
        with self._said.open("w") as said, (folder / "load.log").open("a") as log:
            self._process: subprocess.Popen[str] = run_module("chaos.load", json.dumps(job), stdout=said, stderr=log)
        self._stopping = False
        self.also_started: list[str] = []
        """Ids of runs that somebody else started, successfully."""

    @property
    def running(self) -> bool:
        """Whether it has still to say what became of some starts.

        Raises:
            RuntimeError: it failed.
        """
        code = self._process.poll()
        if code:
            raise RuntimeError(f"the load ended with {code}: {(self._said.parent / 'load.log').read_text()[-2000:]}")
        return code is None

    def stop(self) -> None:
        """Start no more; those under way are waited for."""
        # Once: a process that is about to end hears a second signal no more, and would die of it.
        if not self._stopping:
            self._stopping = True
            self._process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    @property
    def begun(self) -> bool:
        return self._said.read_text().startswith("ready\n")

    @property
    def acknowledged(self) -> list[str]:
        """Ids of the runs whose start was acknowledged."""
        return [*self.also_started, *(line for line in self._lines() if not line.startswith("? "))]

    @property
    def unsure(self) -> list[str]:
        """Ids of the runs whose start was not."""
        return [line.removeprefix("? ") for line in self._lines() if line.startswith("? ")]

    def _lines(self) -> list[str]:
        return self._said.read_text().split("\n")[1:-1]
