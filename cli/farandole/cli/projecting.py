"""`project`, `rebuild` and `verify`: the tables of runs."""

import asyncio
import gc
import logging
import os
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console

from farandole.eventstore import EventStore, connect, without_secrets

from .declared import at_work, declared, keep_on, rebuild_one, verify_one
from .errors import CliError, Failed
from .logs import set_up
from .options import Format
from .output import Output, safe
from .running import Target, answering, existing_log
from .times import exact

if TYPE_CHECKING:
    from farandole.projections.runs import Database, Difference, Progress, Verified

log = logging.getLogger("farandole.projector")

_EVERY: Final = 1.0
_SHOWN: Final = 20
_COLLECT: Final = (50_000, 20, 50)
"""What is made is written and let go of, and never waits in a cycle."""


@asynccontextmanager
async def opened(target: Target, db: str) -> "AsyncIterator[tuple[EventStore, Database]]":
    """The log and the database that a command is about.

    Raises:
        CliError: what the tables need is not installed.
        StoreMisconfigured: the log is not there.
    """
    try:
        from farandole.projections.runs import Database, schema_of
    except ImportError as e:
        raise CliError(str(e)) from e
    name = target.choreography.name
    database = Database(db, schema_of(name))
    try:
        with existing_log():
            async with answering(target.store):
                store = await connect(target.store, name, create=False)
        async with store:
            yield store, database
    finally:
        database.close()


def database_url(db: str | None) -> str:
    """The database that was named.

    Raises:
        CliError: none was.
    """
    if not db:
        raise CliError("no database was named: say --db sqlite:///runs.db or --db postgresql://…, or set FARANDOLE_DB")
    return db


async def project(
    target: Target,
    db: str,
    *,
    keep: int | None,
    only: Sequence[str] = (),
    archive: Path | None = None,
    log_level: str,
    log_format: Format | None,
) -> int:
    """Keep the tables until SIGTERM or SIGINT.

    Args:
        only: keep no tables of runs, and of the declared projections these.
        archive: where records are that have left the log.
    """
    set_up(log_level, log_format)
    gc.set_threshold(*_COLLECT)
    async with opened(target, db) as (store, database):
        from farandole.projections.runs import Projector

        choreography = target.choreography
        log.info("projecting %s at %s to %s", choreography.name, without_secrets(target.store), database.url)
        async with declared(target, store, database, only=only, archive=archive) as own:
            if only:
                await asyncio.gather(*(keep_on(each) for each in own))
                return 1  # none goes further
            projector = Projector(store, database, choreography.name, codec=choreography.codec, keep=keep)
            try:
                async with at_work(own):
                    await projector.run()
            finally:
                await projector.close()
    return 0


async def rebuild(
    target: Target,
    app: str | None,
    db: str,
    out: Output,
    *,
    processes: int = 1,
    part: str | None = None,
    only: str | None = None,
    archive: Path | None = None,
) -> int:
    """Make the tables anew, and tell how far it is.

    Args:
        only: those of this projection; by default those of runs.
        archive: where records are that have left the log.
        app: as it was named, for further processes.
        part: which part of how many this process does for another one, as ``0/4``.
    """
    name, codec = target.choreography.name, target.choreography.codec
    gc.set_threshold(*_COLLECT)
    async with opened(target, db) as (store, database):
        from farandole.projections.runs import fill_part
        from farandole.projections.runs import rebuild as rebuild_tables

        if part is not None:
            this, all_ = map(int, part.split("/"))
            await fill_part(store, database, name, this, all_, codec=codec)
            return 0
        if processes > 1 and (database.dialect == "sqlite" or target.store.startswith("memory:")):
            raise CliError("several processes need PostgreSQL, and a log that is not in memory: leave --processes out")
        if only is not None:
            with _Telling(out) as telling:
                done = await rebuild_one(target, store, database, only, archive, telling.told)
            return _rebuilt(out, done)
        words = ["rebuild", *([app] if app else ["-c", name])]
        # What may hold passwords is no argument, which everybody on the machine could read.
        env = {**os.environ, "FARANDOLE_STORE": target.store, "FARANDOLE_DB": db}
        filled_by = None if processes == 1 else lambda: _several(words, env, min(processes, store.partitions))
        with _Telling(out) as telling:
            done = await rebuild_tables(store, database, name, codec=codec, told=telling.told, filled_by=filled_by)
    return _rebuilt(out, done)


def _rebuilt(out: Output, done: "Progress") -> int:
    if out.as_json:
        out.document({"records": done.done, "seconds": round(done.seconds, 3), "records_per_s": round(done.rate)})
    else:
        out.print(f"{done.done:,} records in {exact(done.seconds)}, {done.rate:,.0f} a second; the tables are in place")
    return 0


async def _several(words: Sequence[str], env: Mapping[str, str], count: int) -> None:
    """Have processes of their own fill the tables, each a part of the partitions.

    Raises:
        Failed: one of them did not come to its end.
    """
    command = (sys.executable, "-m", "farandole.cli", *words)
    parts = [await asyncio.create_subprocess_exec(*command, "--part", f"{n}/{count}", env=env) for n in range(count)]
    try:
        codes = await asyncio.gather(*(each.wait() for each in parts))
    finally:
        for each in parts:
            if each.returncode is None:
                each.kill()
    if any(codes):
        raise Failed("a process that was to fill the tables has failed; those in use are as they were")


async def verify(target: Target, db: str, out: Output, *, only: str | None = None, archive: Path | None = None) -> int:
    """Compare the tables with the log; 1 if they differ.

    Args:
        only: those of this projection; by default those of runs.
        archive: where records are that have left the log.
    """
    async with opened(target, db) as (store, database):
        from farandole.projections.runs import verify as verify_tables

        codec = target.choreography.codec
        with _Telling(out) as telling:
            if only is not None:
                found = await verify_one(target, store, database, only, archive, telling.told)
            else:
                found = await verify_tables(store, database, target.choreography.name, codec=codec, told=telling.told)
    if out.as_json:
        out.document(_as_json(found))
    else:
        for each in found.differences[:_SHOWN]:
            out.print(_line(each), soft_wrap=True)
        if (more := len(found.differences) - _SHOWN) > 0:
            out.print(f"… and {more:,} more")
        end = "differ; farandole rebuild makes them anew" if found.differences else "are what follows from the log"
        out.print(f"{found.rows:,} rows of {found.progress.done:,} records {end}")
    return 1 if found.differences else 0


def _line(each: "Difference") -> str:
    key = ", ".join(safe(str(part)) for part in each.key)
    if not each.columns:
        return f"{each.table} ({key}): {each.what}"
    columns = "; ".join(
        f"{name} is {safe(repr(is_))}, not {safe(repr(should))}" for name, (is_, should) in each.columns.items()
    )
    return f"{each.table} ({key}): {columns}"


def _as_json(found: "Verified") -> dict[str, Any]:
    return {
        "rows": found.rows,
        "records": found.progress.done,
        "positions": {str(p): place.position for p, place in sorted(found.places.items())},
        "differences": [
            {
                "table": each.table,
                "key": each.key,
                "what": each.what,
                "columns": {name: {"is": is_, "should_be": should} for name, (is_, should) in each.columns.items()},
            }
            for each in found.differences
        ],
    }


class _Telling:
    """How far it is, and how long it will take: one line that changes at a terminal, else one now and then."""

    def __init__(self, out: Output) -> None:
        self._console = Console(stderr=True, highlight=False, markup=False)
        self._quiet = out.as_json
        self._last = 0.0
        self._status = self._console.status("reading the log")

    def __enter__(self) -> "_Telling":
        if not self._quiet and self._console.is_terminal:
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._status.stop()

    def told(self, progress: "Progress") -> None:
        now = time.monotonic()
        if self._quiet or now - self._last < (_EVERY / 4 if self._console.is_terminal else 10 * _EVERY):
            return
        self._last = now
        left = f", {exact(progress.left)} left" if progress.left is not None else ""
        share = progress.done / progress.total if progress.total else 1.0
        bar = "█" * round(share * 24)
        line = f"{bar:░<24} {share:4.0%}  {progress.done:,} of {progress.total:,} records, {progress.rate:,.0f} a second{left}"
        if self._console.is_terminal:
            self._status.update(line)
        else:
            self._console.print(line)
