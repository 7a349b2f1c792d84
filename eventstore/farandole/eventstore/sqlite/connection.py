"""Connections to the file: opened with the right settings, patient with other processes, renewed when broken."""

import os
import random
import sqlite3
import time
from collections.abc import Callable
from typing import Final, TypeVar

from farandole.eventstore.errors import StoreMisconfigured

from .failures import breaks_connection, is_busy, not_read
from .schema import VERSION, look_at_file, make_tables
from .settings import Settings

T = TypeVar("T")
_OLDEST: Final = (3, 38)
_SHORTEST_PAUSE: Final = 0.0002
_LONGEST_PAUSE: Final = 0.01


class Connection:
    """One connection, for use by one thread. Calls block."""

    def __init__(self, settings: Settings, *, create: bool) -> None:
        """Open the file.

        Raises:
            StoreMisconfigured: there is no such file or directory, or it is no event store.
            StoreUnavailable: it is locked, or the disk fails.
        """
        self.settings = settings
        try:
            self._sqlite = self._open(create=create)
        except sqlite3.Error as e:
            raise not_read(e, settings.path, settings.patience) from e
        self._file = _file(settings)

    def _open(self, *, create: bool) -> sqlite3.Connection:
        path = self.settings.path
        if sqlite3.sqlite_version_info < _OLDEST:
            raise StoreMisconfigured(
                f"this Python has SQLite {sqlite3.sqlite_version}, and the store needs {'.'.join(map(str, _OLDEST))} "
                "or later: use a Python that was built with a newer one"
            )
        if not path.parent.is_dir():
            raise StoreMisconfigured(f"there is no directory {path.parent} to hold {path.name}: make it first")
        if path.is_dir():
            raise StoreMisconfigured(f"{path} is a directory: name a file in it")
        if not create and not path.exists():
            raise StoreMisconfigured(f"there is no file {path}; connect with create=True to make it")
        # Waiting is done here, in shorter steps than those of SQLite's own busy handler.
        connection = sqlite3.connect(
            f"{path.as_uri()}?mode={'rwc' if create else 'rw'}",
            uri=True, timeout=0, isolation_level=None, check_same_thread=False, cached_statements=256,
        )  # fmt: skip
        try:
            ours = self._patiently(lambda: look_at_file(connection, path))
            if not (ours or create):
                raise StoreMisconfigured(f"{path} is empty; connect with create=True to make an event store of it")
            mode = self._patiently(lambda: connection.execute("PRAGMA journal_mode = WAL").fetchone()[0])
            if mode != "wal":
                raise StoreMisconfigured(
                    f"{path} cannot be opened in WAL mode: put it on a local file system with shared memory"
                )
            connection.execute(f"PRAGMA synchronous = {self.settings.synchronous}")
            if self.settings.synchronous == "full":
                connection.execute("PRAGMA fullfsync = 1")  # where fsync alone does not reach the disk: macOS
                connection.execute("PRAGMA checkpoint_fullfsync = 1")
            connection.execute("PRAGMA wal_autocheckpoint = 2000")
            connection.execute("PRAGMA journal_size_limit = 67108864")
            if ours < VERSION:
                self._patiently(lambda: make_tables(connection, path))
        except BaseException:
            connection.close()
            raise
        return connection

    def run(self, action: Callable[[sqlite3.Connection], T]) -> T:
        """Do something, again and again while other processes are in the way.

        Raises:
            sqlite3.Error: it failed, or others were in the way for longer than the settings' patience.
            StoreMisconfigured: the file was removed or replaced.
        """
        if self._file != _file(self.settings):
            raise StoreMisconfigured(
                f"{self.settings.path} was removed or replaced while it was in use; what is written now would be "
                "lost. Restart this process"
            )
        try:
            return self._patiently(lambda: action(self._sqlite))
        except sqlite3.Error as e:
            if self._sqlite.in_transaction:
                self._sqlite.execute("ROLLBACK")
            if breaks_connection(e):
                self._renew()
            raise

    def transaction(self, action: Callable[[sqlite3.Connection], T]) -> T:
        """Do something under the write lock. What it raises undoes it.

        Raises:
            sqlite3.Error: as `run`.
        """

        def locked(connection: sqlite3.Connection) -> T:
            connection.execute("BEGIN IMMEDIATE")
            try:
                result = action(connection)
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
            return result

        return self.run(locked)

    def close(self) -> None:
        self._sqlite.close()

    def _patiently(self, action: Callable[[], T]) -> T:
        deadline = time.monotonic() + self.settings.patience
        pause = _SHORTEST_PAUSE
        while True:
            try:
                return action()
            except sqlite3.OperationalError as e:
                if not is_busy(e) or time.monotonic() >= deadline:
                    raise
            time.sleep(pause * (0.5 + random.random()))  # noqa: S311 (keeps processes apart)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _renew(self) -> None:
        try:
            fresh = self._open(create=False)
        except (sqlite3.Error, StoreMisconfigured):
            return  # the next call fails in the same way and says so
        self._sqlite.close()
        self._sqlite = fresh


def _file(settings: Settings) -> tuple[int, int]:
    try:
        found = os.stat(settings.path)  # noqa: PTH116 (before every write, so quick)
    except FileNotFoundError:
        return 0, 0
    return found.st_dev, found.st_ino
