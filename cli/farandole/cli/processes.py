"""Several processes of one worker: started together, stopped together, none started again."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

FLAG: Final = "--parent-pipe"


class Children:
    """Processes of this program that end when it does, even when it is killed.

    Each holds the reading end of a pipe that this process never writes to: it ends with this process, however that
    comes about.
    """

    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        self._running: list[asyncio.subprocess.Process] = []

    async def start(self, words: Sequence[str], *, store: str) -> asyncio.subprocess.Process:
        """Start ``farandole`` with these words. The store goes by the environment, for its URL may hold a password."""
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "farandole.cli", *words, FLAG, str(self._read)),
            pass_fds=[self._read],
            env={**os.environ, "FARANDOLE_STORE": store},
        )
        self._running.append(child)
        return child

    def stop(self, sign: signal.Signals = signal.SIGTERM) -> None:
        """Pass a signal on to all that still run."""
        for child in self._running:
            if child.returncode is None:
                with suppress(ProcessLookupError):
                    child.send_signal(sign)

    async def wait(self) -> int:
        """Wait until all have exited, and return the worst of their exit codes."""
        codes = [await child.wait() for child in self._running]
        return max((128 - code if code < 0 else code for code in codes), default=0)

    def close(self) -> None:
        os.close(self._read)
        os.close(self._write)


async def several(count: int, words: Callable[[int], Sequence[str]], *, store: str) -> int:
    """Run so many processes until SIGTERM or SIGINT, or until each has ended by itself.

    Args:
        words: the command line of each, by its number from 1.
    """
    children = Children()
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, children.stop)
    try:
        for number in range(1, count + 1):
            await children.start(words(number), store=store)
        return await children.wait()
    finally:
        children.close()


def end_with_parent(pipe: int | None) -> None:
    """Have this process stop, as by SIGTERM, when the one that started it has gone."""
    if pipe is None:
        return
    loop = asyncio.get_running_loop()

    def gone() -> None:
        loop.remove_reader(pipe)
        os.kill(os.getpid(), signal.SIGTERM)

    loop.add_reader(pipe, gone)
