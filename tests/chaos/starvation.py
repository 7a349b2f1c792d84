"""How long processes stood ready to run while the machine had no core for them: time that no promise is about."""

from pathlib import Path

import psutil


class Starvation:
    """What this process and all below it wait for a core, from now on: workers, loads, brokers."""

    def __init__(self) -> None:
        self._before = _waited()

    @property
    def seconds(self) -> float:
        """What they waited, the longest thread of each, added up.

        Each may have to wait for any other, so a promise of so many seconds is not broken before that many and these
        have passed. 0 where the system does not tell.
        """
        longest: dict[int, float] = {}
        for (pid, thread), waited in _waited().items():
            longest[pid] = max(longest.get(pid, 0.0), waited - self._before.get((pid, thread), 0.0))
        return sum(longest.values())


def _waited() -> dict[tuple[int, str], float]:
    """By process and thread."""
    found: dict[tuple[int, str], float] = {}
    this = psutil.Process()
    for pid in [this.pid, *(child.pid for child in this.children(recursive=True))]:
        for told in Path(f"/proc/{pid}/task").glob("*/schedstat"):
            try:
                _, delay, _ = told.read_text().split()
            except (OSError, ValueError):
                continue
            found[pid, told.parent.name] = int(delay) / 1e9
    return found
