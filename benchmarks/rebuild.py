"""Rebuilding the tables of runs: records a second, from a log to SQLite or PostgreSQL, by `farandole rebuild`.

    python -m benchmarks.rebuild --store sqlite --db postgres --records 1000000 --processes 2

The log holds whole runs of five steps, 500 of them beside one another, as workers write them. PostgreSQL is one of the
benchmark's own, with its usual settings. The figures are those that the command tells; indexes are made within.
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

from benchmarks import chain_app as app
from benchmarks.options import measured, parser
from benchmarks.restore import START, STEPS
from benchmarks.show import say, tell
from benchmarks.written_log import append_to, prepare, runs_of
from farandole.eventstore import connect
from farandole.testing.postgres import PostgresServer

_PER_RUN = app.STEPS + 1


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


async def rebuild(url: str, db: str, records: int, processes: int, partitions: int) -> dict[str, Any]:
    name = f"rebuild_{time.time_ns():x}"
    app.chain.name = app.chain.service = name
    async with await connect(url, name, partitions=partitions) as store:
        say(f"writing {records:,} records")
        scribe = await prepare(store, app.chain)
        for partition in range(partitions):
            runs = runs_of(scribe, START, STEPS, records // partitions // _PER_RUN, partition, partitions)
            await append_to(store, partition, runs)
    env = {"FARANDOLE_STORE": url, "FARANDOLE_DB": db}
    say("rebuilding")
    several = ["--processes", str(processes)] if processes > 1 else []
    made = await command("rebuild", "-c", name, *several, env=env)
    say("verifying")
    found = await command("verify", "-c", name, env=env)
    if found["differences"]:
        raise SystemExit(f"the tables are not what follows from the log: {found['differences'][:3]}")
    return {
        "store": url.partition(":")[0],
        "database": db.partition(":")[0],
        "processes": processes,
        "records": made["records"],
        "fill_records_per_s": made["records"] / made["seconds"],
        "rebuild_s": made["in_all_s"],
        "rebuild_records_per_s": made["records"] / made["in_all_s"],
        "verify_s": found["in_all_s"],
    }


def main() -> None:
    options = parser("benchmarks.rebuild", __doc__)
    options.add_argument("--records", type=int, default=1_000_000, help="records of the log (default 1,000,000)")
    options.add_argument("--db", default="postgres", help="postgres, sqlite, or a URL (default postgres)")
    options.add_argument("--processes", type=int, default=1, help="of the rebuild (default 1)")
    options.add_argument("--partitions", type=int, default=4, help="of the log (default 4)")

    async def measure(url: str, given: Any) -> dict[str, Any]:
        with database(given.db) as db:
            return await rebuild(url, db, given.records, given.processes, given.partitions)

    given, result = measured(options, measure)
    tell(result, given.json, title=f"Rebuilding the tables of {result['records']:,} records")


if __name__ == "__main__":
    main()
