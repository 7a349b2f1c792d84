"""Changes of source files, by looking at them a few times a second."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

MOST_FILES: Final = 5_000
_SKIPPED: Final = frozenset({"__pycache__", "node_modules", "site-packages", "dist", "build"})


class Sources:
    """The Python files below some directories, environments and hidden directories left out."""

    def __init__(self, roots: list[Path]) -> None:
        self._roots = roots
        self._seen = self._look()

    def changed(self) -> list[Path]:
        """Files that were changed, added or removed since the last call."""
        before, self._seen = self._seen, self._look()
        return sorted(file for file in {*before, *self._seen} if before.get(file) != self._seen.get(file))

    def _look(self) -> Mapping[Path, tuple[int, int]]:
        found: dict[Path, tuple[int, int]] = {}
        for file in self._files():
            try:
                stat = file.stat()
            except OSError:
                continue
            found[file] = (stat.st_mtime_ns, stat.st_size)
            if len(found) >= MOST_FILES:
                break
        return found

    def _files(self) -> Iterator[Path]:
        for root in self._roots:
            for directory, names, files in os.walk(root):
                names[:] = [
                    n for n in names if not n.startswith(".") and n not in _SKIPPED and not _is_venv(Path(directory, n))
                ]
                for file in files:
                    if file.endswith(".py"):
                        yield Path(directory, file)


def _is_venv(directory: Path) -> bool:
    return (directory / "pyvenv.cfg").exists()
