"""The in-memory event store: for tests, for simulation on virtual time, and the reference for stores of other kinds."""

from .store import MemoryStore, forget, open_memory

__all__ = ["MemoryStore", "forget", "open_memory"]
