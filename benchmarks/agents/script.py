"""What the scripted agent says, in every system alike: calls of a tool, one after the other, and then its answer.

An agent is asked ``<run> <calls>`` and calls its model so many times; each reply but the last calls a tool.
"""

import asyncio
import os
import time
from pathlib import Path

ARGUMENT = "What the weather was like in Arles on this day of the year, in each of the last ten years. " * 2
RESULT = "Rain in the morning, and from noon on the sun; a light wind from the north-west. " * 5
"""What the tool returns: about 400 bytes, by which each turn makes the conversation longer."""
ANSWER = "It was sunny."


class Script:
    """The lines of all agents of a process.

    Attributes:
        seconds: how long each call of the model takes.
        calls: how many were made.
        took: seconds that they took in all, which is a little more, for no timer is exact.

    Args:
        book: a file in which each call is noted, whatever becomes of the process: when, of which run, which one.
    """

    def __init__(self, seconds: float, book: Path | None = None) -> None:
        self.seconds = seconds
        self.calls = 0
        self.took = 0.0
        self._book = None if book is None else os.open(book, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    async def says(self, asked: str, replies: int) -> str | None:
        """The argument of a call of the tool, or None: the answer.

        Args:
            asked: what the agent was asked.
            replies: how often the model has replied in the conversation.
        """
        run, calls = asked.split()
        if self._book is not None:
            os.write(self._book, f"{time.time()} {run} {replies}\n".encode())
        began = time.perf_counter()
        if self.seconds:
            await asyncio.sleep(self.seconds)
        self.calls += 1
        self.took += time.perf_counter() - began
        return ARGUMENT if replies + 1 < int(calls) else None
