"""Rebuilding the tables of runs: records a second, from a log to SQLite or PostgreSQL, by `farandole rebuild`.

    python -m benchmarks.rebuild --store sqlite --db postgres --runs 100000 --processes 2

The log holds runs of ten events, 500 of them beside one another, as workers write them (`benchmarks.many_runs`). PostgreSQL is
one of the benchmark's own, with more memory than it has by default. `rebuild` is all of it: Python's start, the rows, the indexes, the swap;
`fill` is the rows alone.
"""

import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import many_runs
from benchmarks.options import measured, parser
from benchmarks.show import say, tell
from farandole.eventstore import connect
from farandole.testing.postgres import PostgresServer


@contextmanager
def database(kind: str) -> Iterator[str]:
    """The URL of the database that was named. What was started or made for it ends with the block."""
    if kind == "postgres":
        with PostgresServer(safe=True, config={"shared_buffers": "256MB", "max_wal_size": "4GB"}) as server:
            yield server.url
    elif kind == "sqlite":
        with tempfile.TemporaryDirectory(prefix="farandole-bench-") as folder:
            yield f"sqlite:///{Path(folder) / 'runs.db'}"
    else:
        yield kind


async def command(*words: str, env: dict[str, str]) -> dict[str, Any]:
    """Run a command of Farandole's, and return what it says and how long it took."""
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "farandole.cli",
        *words,
        "--json",
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, **env},
    )
    out, _ = await process.communicate()
    if process.returncode:
        raise SystemExit(f"farandole {words[0]} ended with {process.returncode}")
    return {**json.loads(out), "in_all_s": time.perf_counter() - began}


async def write(url: str, name: str, runs: int, partitions: int) -> None:
    """A log of many runs."""
    many_runs.many.name = many_runs.many.service = name
    async with await connect(url, name, partitions=partitions) as store:
        say(f"writing {runs:,} runs")
        await many_runs.write(store, runs)


async def rebuilt(url: str, db: str, name: str, processes: int) -> dict[str, Any]:
    """Make the tables of a log, and tell how long that took."""
    say("rebuilding")
    several = ["--processes", str(processes)] if processes > 1 else []
    made = await command("rebuild", "-c", name, *several, env={"FARANDOLE_STORE": url, "FARANDOLE_DB": db})
    return {
        "store": url.partition(":")[0],
        "database": db.partition(":")[0],
        "records": made["records"],
        "processes": processes,
        "fill_records_per_s": made["records"] / made["seconds"],
        "rebuild_s": made["in_all_s"],
        "rebuild_records_per_s": made["records"] / made["in_all_s"],
    }


async def rebuild(url: str, db: str, runs: int, processes: int, partitions: int) -> dict[str, Any]:
    name = f"rebuild_{time.time_ns():x}"
    await write(url, name, runs, partitions)
    made = await rebuilt(url, db, name, processes)
    say("verifying")
    found = await command("verify", "-c", name, env={"FARANDOLE_STORE": url, "FARANDOLE_DB": db})
    if found["differences"]:
        raise SystemExit(f"the tables are not what follows from the log: {found['differences'][:3]}")
    return {**made, "verify_s": found["in_all_s"]}


def main() -> None:
    options = parser("benchmarks.rebuild", __doc__)
    options.add_argument("--runs", type=int, default=100_000, help="of ten events each (default 100,000)")
    options.add_argument("--db", default="postgres", help="postgres, sqlite, or a URL (default postgres)")
    options.add_argument("--processes", type=int, default=1, help="of the rebuild (default 1)")
    options.add_argument("--partitions", type=int, default=4, help="of the log (default 4)")

    async def measure(url: str, given: Any) -> dict[str, Any]:
        with database(given.db) as db:
            return await rebuild(url, db, given.runs, given.processes, given.partitions)

    given, result = measured(options, measure)
    tell(result, given.json, title=f"Rebuilding the tables of {result['records']:,} records")


if __name__ == "__main__":
    main()
