"""Who keeps the tables of runs while a cell does harm: servers of a database that dies too, and what is asked of them at the end."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Final, Self, cast

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import OID
from tests.projections.runs.reading import as_read, tables_in
from tests.tabled.memory import Tables, differences, rows_of

from farandole.eventstore import EventStore, Stored, connect
from farandole.projections.fold import Fold
from farandole.projections.runs.tables import positions, usage
from farandole.projections.runs.tablespace import schema_of
from farandole.projections.sql import Database, DatabaseError
from farandole.testing.postgres import PostgresServer

from .crew import TROUBLE

_AT_THE_END: Final = 120.0
"""Seconds within which the tables are to be where the log ends, once all harm is over."""
MOST: Final = 20
"""Differences that are told one by one."""


class Keepers:
    """Processes that keep the same tables, as `farandole serve` does. Use as a context manager.

    Args:
        store: URL of the log.
        choreography: its name.
        folder: for their logs, and for the database if it is a file.
        on_postgres: whether the tables are in a PostgreSQL of their own, which can be killed; else in an SQLite file.
        processes: how many.
    """

    def __init__(
        self, store: str, choreography: str, folder: Path, *, on_postgres: bool = False, processes: int = 2
    ) -> None:
        self.server = PostgresServer() if on_postgres else None
        self.db = "" if on_postgres else f"sqlite:///{folder / 'runs.db'}"
        self._store = store
        self._choreography = choreography
        self._logs = [folder / f"keeper-{n}.log" for n in range(processes)]
        self._processes: list[subprocess.Popen[bytes]] = []
        self._said = [0] * processes
        """How much each had logged before it was started last."""
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            if self.server is not None:
                stack.enter_context(self.server)
                self.db = self.server.url
            stack.callback(self._end)
            self._processes = [self._started(n) for n in range(len(self._logs))]
            for n in range(self.count):
                self._serving(n)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def count(self) -> int:
        return len(self._logs)

    def end(self, which: int) -> None:
        """End one with SIGKILL."""
        self._processes[which].kill()
        self._processes[which].wait()

    def begin(self, which: int) -> None:
        """Start one again. It is there again: one that cannot reach the log when it begins ends, and says so."""
        self._processes[which] = self._started(which)
        self._serving(which)

    def complaints(self) -> list[str]:
        """What their logs tell of faults of ours, and which of them ended by themselves."""
        found = [f"a keeper ended with {code}" for each in self._processes if (code := each.poll()) is not None]
        for log in self._logs:
            lines = log.read_text(errors="replace").splitlines()
            found += [f"{log.name}: {line}" for line in lines if any(word in line for word in TROUBLE)]
        return found

    def positions(self) -> dict[int, int]:
        """By partition, up to where the tables have read the log; nothing while they cannot be asked."""
        database = Database(self.db, schema_of(self._choreography))
        try:
            with database.reading() as connection:
                return {row.partition: row.position for row in connection.execute(select(positions))}
        except DatabaseError:
            return {}
        finally:
            database.close()

    async def come_to(self, ends: Mapping[int, int], within: float = _AT_THE_END) -> float:
        """Wait until the tables have read so far, and return after how many seconds.

        Raises:
            TimeoutError: they did not, within so many seconds.
        """
        began = time.monotonic()
        while True:
            found = await asyncio.to_thread(self.positions)
            if all(found.get(partition, 0) >= end for partition, end in ends.items()):
                return time.monotonic() - began
            if time.monotonic() - began > within:
                raise TimeoutError(f"the tables are at {found}, and the log is at {ends}")
            await asyncio.sleep(0.02)

    async def verified(self) -> list[str]:
        """What `farandole verify` finds."""
        process = await asyncio.create_subprocess_exec(
            *self._command("verify", "--json"), env=self._environment(), stdout=asyncio.subprocess.PIPE
        )
        said, _ = await process.communicate()
        found = json.loads(said)
        return [f"farandole verify: {each}" for each in found["differences"][:MOST]]

    async def rebuild(self) -> asyncio.subprocess.Process:
        """Begin `farandole rebuild`, beside those who keep the tables; all that it says can be read."""
        return await asyncio.create_subprocess_exec(
            *self._command("rebuild"),
            env={**self._environment(), "COLUMNS": "400"},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )

    def shadow(self) -> int | None:
        """Which tables stand beside those in use, for a rebuild to put in their place; None if there are none, or while they
        cannot be asked.
        """
        if self.server is None:
            with suppress(FileNotFoundError):
                return Path(f"{self.db.removeprefix('sqlite:///')}.rebuild").stat().st_ino
            return None
        database = Database(self.db, schema := schema_of(self._choreography))
        try:
            with database.reading() as connection:
                found = connection.execute(select(func.to_regclass(f"{schema}_rebuild.{positions.name}").cast(OID)))
                return cast("int | None", found.scalar_one())
        except DatabaseError:
            return None
        finally:
            database.close()

    def used(self) -> int:
        """How many calls of models the tables know of."""
        database = Database(self.db, schema_of(self._choreography))
        try:
            with database.reading() as connection:
                return int(connection.execute(select(func.count()).select_from(usage)).scalar_one())
        finally:
            database.close()

    async def refolded(self, partitions: int) -> list[str]:
        """What differs from the rows of the whole log, folded in one piece, row for row."""
        expected: Tables = {}
        async with await connect(self._store, self._choreography, partitions=partitions) as store:
            catalogue = await store.catalogue.load()
            for partition in range(partitions):
                records = await _all_of(store, partition)
                fold = Fold(partition, partitions)
                made = rows_of(records, fold=fold, catalogue=catalogue, choreography=self._choreography)
                for table, those in made.items():
                    expected.setdefault(table, {}).update(those)
        database = Database(self.db, schema_of(self._choreography))
        try:
            return [f"a refold: {each}" for each in differences(tables_in(database), as_read(expected))[:MOST]]
        finally:
            database.close()

    def _started(self, which: int) -> "subprocess.Popen[bytes]":
        log = self._logs[which]
        self._said[which] = len(log.read_text(errors="replace")) if log.exists() else 0
        with self._logs[which].open("a") as log:
            return subprocess.Popen(
                self._command("serve", "--port", "0"), env=self._environment(), stdout=log, stderr=log
            )

    def _serving(self, which: int) -> None:
        """Wait until one that was just started says that it serves, or ends."""
        deadline = time.monotonic() + _AT_THE_END
        while f"serving {self._choreography}" not in self._logs[which].read_text(errors="replace")[self._said[which] :]:
            if self._processes[which].poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"a keeper did not begin:\n{self._logs[which].read_text(errors='replace')[-2000:]}")
            time.sleep(0.02)

    def _command(self, word: str, *more: str) -> list[str]:
        return [sys.executable, "-m", "farandole.cli", word, "-c", self._choreography, *more]

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "FARANDOLE_STORE": self._store, "FARANDOLE_DB": self.db}

    def _end(self) -> None:
        for each in self._processes:
            each.kill()
            each.wait()


async def _all_of(store: EventStore, partition: int) -> list[Stored]:
    """Each record of a partition."""
    records: list[Stored] = []
    end = (await store.ends((partition,)))[partition].next
    reader = store.reader()
    reader.follow({partition: 0})
    try:
        while not records or records[-1].offset + 1 < end:
            for batch in await reader.read():
                records += batch
    finally:
        await reader.close()
    return records
