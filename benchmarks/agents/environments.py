"""An environment of its own for each rival, so that ours need not have them; each is made once, and kept."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from benchmarks.process import ROOT
from farandole.testing.server import fetched, kept

PYDANTIC_AI: Final = "pydantic-ai-slim==2.68.0"
NEEDS: Final[Mapping[str, Sequence[str]]] = {
    "calfkit": ("calfkit==0.13.0", "faststream[kafka]==0.7.1"),
    "langgraph": ("langgraph==1.2.22", "langgraph-checkpoint-postgres==3.2.0", "psycopg[binary,pool]>=3.2"),
    "dbos": ("dbos==3.4.0", PYDANTIC_AI, "psycopg[binary]>=3.2"),
    "temporal": ("temporalio==1.35.0", PYDANTIC_AI),
}
"""What pip installs for each rival."""
TEMPORAL: Final = "github.com/temporalio/cli/cmd/temporal@v1.5.1"


class NotThere(RuntimeError):
    """Something that a rival needs could not be had. Says what, and why."""


def python_of(rival: str) -> str:
    """The Python in which a rival is installed; installs it the first time.

    Raises:
        NotThere: it cannot be installed.
    """
    if rival not in NEEDS:
        return sys.executable
    wanted = (*NEEDS[rival], "uvloop")
    named = hashlib.blake2b("\n".join((sys.version, *wanted)).encode(), digest_size=4).hexdigest()

    def make(work: Path) -> Path:
        there = work / "venv"
        _do(sys.executable, "-m", "venv", str(there))
        _do(str(there / "bin/python"), "-m", "pip", "install", "--quiet", *wanted)
        return there

    return str(fetched(kept() / "rivals" / f"{rival}-{named}", make) / "bin/python")


def temporal() -> str:
    """Temporal's command, which has its development server; builds it the first time, with Go.

    Raises:
        NotThere: it cannot be built.
    """

    def make(work: Path) -> Path:
        _do("go", "install", TEMPORAL, GOBIN=str(work / "bin"))
        return work / "bin"

    return str(fetched(kept() / "rivals" / f"temporal-{TEMPORAL.rpartition('@')[2]}", make) / "temporal")


def _do(*command: str, **environment: str) -> None:
    try:
        done = subprocess.run(
            command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, check=False
        )
    except FileNotFoundError as e:
        raise NotThere(f"{command[0]} is not installed") from e
    if done.returncode:
        raise NotThere(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
