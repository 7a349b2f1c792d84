"""The SQLite event store: one file, shared by the processes of one machine."""

from .store import SqliteStore, open_sqlite

__all__ = ["SqliteStore", "open_sqlite"]
