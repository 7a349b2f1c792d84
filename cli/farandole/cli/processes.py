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
    comes about. Each has a session of its own: Ctrl-C in the terminal reaches this process only, which passes it on,
    so that no child takes the same Ctrl-C for two.
    """

    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        self._running: list[asyncio.subprocess.Process] = []
        self._stops = 0

    @property
    def stopping(self) -> bool:
        """Whether they were told to stop."""
        return self._stops > 0

    async def start(self, words: Sequence[str], *, store: str) -> asyncio.subprocess.Process:
        """Start ``farandole`` with these words. The store goes by the environment, for its URL may hold a password.

        If all were told to stop in the meantime, so is this one.
        """
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "farandole.cli", *words, FLAG, str(self._read)),
            pass_fds=[self._read],
            env={**os.environ, "FARANDOLE_STORE": store},
            start_new_session=True,
        )
        self._running.append(child)
        if self.stopping:
            _terminate(child)
        return child

    def stop(self) -> None:
        """Send SIGTERM to all that still run."""
        self._stops += 1
        for child in self._running:
            _terminate(child)

    async def wait(self) -> int:
        """Wait until all have exited, and return the worst of their exit codes."""
        codes = [await child.wait() for child in self._running]
        return max((self._code(code) for code in codes), default=0)

    def _code(self, code: int) -> int:
        if code == -signal.SIGTERM and self._stops == 1:
            return 0  # told to stop before it had begun to listen
        return 128 - code if code < 0 else code

    def close(self) -> None:
        os.close(self._read)
        os.close(self._write)


def _terminate(child: asyncio.subprocess.Process) -> None:
    if child.returncode is None:
        with suppress(ProcessLookupError):
            child.terminate()


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
            if children.stopping:
                break
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
