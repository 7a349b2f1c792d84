"""Lines from stdin, while the event loop goes on. A terminal hands them over whole, so that they can be edited."""

import asyncio
import os
import sys
from collections import deque
from typing import Final

_READ: Final = 65_536


class Lines:
    """Reads stdin line by line. Use as a context manager."""

    def __init__(self) -> None:
        self._fd = sys.stdin.fileno()
        self._ready: deque[str] = deque()
        self._rest = b""
        self._ended = False
        self._news = asyncio.Event()
        self._watched = False

    def __enter__(self) -> "Lines":
        try:
            asyncio.get_running_loop().add_reader(self._fd, self._read)
            self._watched = True
        except (OSError, NotImplementedError):
            while not self._ended:  # a file, which is there at once
                self._read()
        return self

    def __exit__(self, *_: object) -> None:
        if self._watched:
            asyncio.get_running_loop().remove_reader(self._fd)

    async def next(self) -> str | None:
        """The next line; None: there is no more."""
        while not self._ready and not self._ended:
            self._news.clear()
            await self._news.wait()
        return self._ready.popleft() if self._ready else None

    def _read(self) -> None:
        found = os.read(self._fd, _READ)
        *lines, self._rest = (self._rest + found).split(b"\n")
        if not found:
            self._ended = True
            lines += [self._rest] if self._rest else []
            if self._watched:
                asyncio.get_running_loop().remove_reader(self._fd)
                self._watched = False
        self._ready += [line.decode(errors="replace").rstrip("\r") for line in lines]
        self._news.set()
