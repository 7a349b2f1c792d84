"""Worker processes that are killed, one after the other, until whoever began them has seen enough."""

import asyncio
import os
import sys
from pathlib import Path

from farandole.reactors import leases

_ROOT = Path(__file__).parents[2]


async def one_after_the_other(program: str, *words: str) -> None:
    """Workers, each begun when the one before it was killed.

    Args:
        program: the file that each runs, with these words.
    """
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(_ROOT), *sys.path])}
    while True:
        worker = await asyncio.create_subprocess_exec(sys.executable, program, *words, env=env)
        try:
            await worker.wait()
        finally:
            if worker.returncode is None:
                worker.kill()
                await worker.wait()


def with_short_claims() -> None:
    """In this process claims lapse in two seconds, so that who comes next need not wait for long."""
    for constant, value in {"CLAIM_AFTER": 0.5, "RENEW": 0.5, "_LOOK": 0.2, "LEASE": 2_000, "MARGIN": 100}.items():
        setattr(leases, constant, value)
