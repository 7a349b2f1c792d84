"""Tables of runs that are kept while projectors, their database and the broker are killed."""

import asyncio
import time

from chaos.cell import cell
from chaos.keepers import Keepers
from chaos.stage import Stage
from chaos.trial import Trial


@cell(
    "tables-on-postgresql",
    "two projectors, PostgreSQL and the broker are killed with -9 at random, and started again; then all rows are held against a refold of the log",
    tested={"runs": 600, "rate": 60, "pause": 2},
    whole={"runs": 50_000, "rate": 150, "pause": 4},
)
async def tables_on_postgresql(trial: Trial, runs: int, rate: float, pause: float) -> None:
    await _kept(trial, runs, rate, pause, on_postgres=True)


@cell(
    "tables-on-sqlite",
    "two projectors of one SQLite file and the broker are killed with -9 at random, and started again; then all rows are held against a refold of the log",
    tested={"runs": 600, "rate": 60, "pause": 2},
    whole={"runs": 50_000, "rate": 150, "pause": 4},
)
async def tables_on_sqlite(trial: Trial, runs: int, rate: float, pause: float) -> None:
    await _kept(trial, runs, rate, pause, on_postgres=False)


async def _kept(trial: Trial, runs: int, rate: float, pause: float, *, on_postgres: bool) -> None:
    async with Stage(trial) as stage:
        with Keepers(stage.url, stage.choreography, trial.folder, on_postgres=on_postgres) as keepers:
            await keepers.come_to(_read(stage))
            load = await stage.press(rate=rate, most=runs)
            while load.running:
                await stage.pause(trial.random.uniform(pause / 4, pause))
                await _kill_one(trial, keepers, on_postgres=on_postgres)
                trial.recovered("the tables where the log was", await keepers.come_to(_read(stage)))
            stage.healed()
            await stage.until(lambda: stage.idle, "what is owed")
            trial.recovered("the tables at the end", await keepers.come_to(_read(stage)))
            began = time.monotonic()
            trial.wrong(*await keepers.verified())
            trial.wrong(*await keepers.refolded(stage.partitions))
            trial.notes["seconds of verifying"] = round(time.monotonic() - began, 1)
            trial.wrong(*keepers.complaints())


def _read(stage: Stage) -> dict[int, int]:
    """By partition, where the log was read up to by whoever watches it."""
    return {part.number: part.records[-1][0].offset + 1 for part in stage.found.partitions if part.records}


async def _kill_one(trial: Trial, keepers: Keepers, *, on_postgres: bool) -> None:
    what = trial.random.choice(
        ("a projector", "PostgreSQL", "the broker") if on_postgres else ("a projector", "the broker")
    )
    trial.fault(f"kill {what}")
    if what == "PostgreSQL":
        await asyncio.to_thread(keepers.kill_the_database)
    elif what == "the broker":
        await asyncio.to_thread(trial.broker.kill)
        await asyncio.to_thread(trial.broker.start)
    else:
        await asyncio.to_thread(keepers.kill, trial.random.randrange(keepers.count))
