"""What each system has to offer, to be measured alike."""

from collections.abc import Mapping
from typing import Protocol


class Contender(Protocol):
    """One process of a system, at work. Each module of `rivals` has ``opened(server, script)``, which makes one."""

    async def run(self, run: str, calls: int) -> None:
        """Start an agent that calls its model so many times, and wait for its answer."""
        ...

    async def go_on(self, runs: Mapping[str, int]) -> None:
        """After a crash: what somebody has to do so that these runs go on, with their numbers of calls."""
        ...

    async def stored(self) -> int:
        """Bytes that are stored of all runs so far."""
        ...
