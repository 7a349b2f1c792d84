"""Memory: what is known of a person or a topic across runs, kept by a projection of the log. `Memory` needs a database's
package, and is loaded when it is first asked for.
"""

from typing import TYPE_CHECKING, Any

from .events import Remembered
from .facts import Fact, Forget, Remembrance

if TYPE_CHECKING:
    from .memory import Memory
    from .reading import Memories, MemoryBehind, open_memories

__all__ = ["Fact", "Forget", "Memories", "Memory", "MemoryBehind", "Remembered", "Remembrance", "open_memories"]

_OF_SQL = {
    "Memories": ".reading",
    "Memory": ".memory",
    "MemoryBehind": ".reading",
    "open_memories": ".reading",
}


def __getattr__(name: str) -> Any:
    if name not in _OF_SQL:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    import_module("farandole.projections.sql")  # says what to install
    return getattr(import_module(_OF_SQL[name], __name__), name)
