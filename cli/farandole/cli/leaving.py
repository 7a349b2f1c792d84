"""Leaving a process whose handlers do not end: a thread cannot be stopped, and the interpreter would wait for it."""

import asyncio
import logging
import os
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from farandole.reactors import Choreography

from .entry import INTERRUPTED, report

log = logging.getLogger("farandole.worker")

_MOMENT: Final = 0.5
"""Seconds in which threads that have nothing to do end."""


@asynccontextmanager
async def not_held_up(choreography: Choreography) -> AsyncIterator[None]:
    """Work inside the block; if threads of handlers still run after it, the process ends here, and they with it."""
    try:
        yield
    except asyncio.CancelledError:
        await _leave_if_held(choreography, INTERRUPTED)
        raise
    except Exception as e:
        await _leave_if_held(choreography, e)
        raise
    else:
        await _leave_if_held(choreography, 0)


async def _leave_if_held(choreography: Choreography, outcome: int | Exception) -> None:
    if not (held := await _held(choreography)):
        return
    log.warning("handlers still run in threads; this process ends without them: %s", ", ".join(held))
    code = outcome if isinstance(outcome, int) else report(outcome)
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):  # whoever read it may have gone
            stream.flush()
    os._exit(code)


async def _held(choreography: Choreography) -> list[str]:
    """What still runs after a moment: reactors by name, and ``asyncio.to_thread`` of whatever reactor."""
    loop = asyncio.get_running_loop()
    until = loop.time() + _MOMENT
    others = asyncio.ensure_future(loop.shutdown_default_executor())
    await asyncio.wait([others], timeout=_MOMENT)
    names = {f"farandole-{r.name}": r.name for r in choreography.reactors if not r.signature.is_async}
    held = set()
    for thread in threading.enumerate():
        if name := names.get(thread.name.rpartition("_")[0]):
            thread.join(max(0.0, until - loop.time()))
            if thread.is_alive():
                held.add(name)
    return [*sorted(held), *([] if others.done() else ["asyncio.to_thread"])]
