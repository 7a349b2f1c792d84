"""Tables of runs that are kept while projectors, their database and the broker are killed."""

import asyncio
import time
from collections import Counter
from functools import partial

from chaos.cell import cell
from chaos.keepers import Keepers
from chaos.rebuilding import PATIENCE, Rebuilds, wrong_rebuilds
from chaos.stage import Stage
from chaos.trial import Trial


@cell(
    "tables-on-postgresql",
    "two projectors, PostgreSQL and the broker are killed with -9 at random, and started again, while the tables are made anew; then all rows are held against a refold of the log",
    tested={"runs": 600, "rate": 60, "pause": 2},
    whole={"runs": 50_000, "rate": 150, "pause": 4},
)
async def tables_on_postgresql(trial: Trial, runs: int, rate: float, pause: float) -> None:
    await _kept(trial, runs, rate, pause, on_postgres=True)


@cell(
    "tables-on-sqlite",
    "two projectors of one SQLite file and the broker are killed with -9 at random, and started again, while the tables are made anew; then all rows are held against a refold of the log",
    tested={"runs": 600, "rate": 60, "pause": 2},
    whole={"runs": 50_000, "rate": 150, "pause": 4},
)
async def tables_on_sqlite(trial: Trial, runs: int, rate: float, pause: float) -> None:
    await _kept(trial, runs, rate, pause, on_postgres=False)


async def _kept(trial: Trial, runs: int, rate: float, pause: float, *, on_postgres: bool) -> None:
    kinds = ["a projector", "the broker", *(["PostgreSQL"] if on_postgres else [])]
    async with Stage(trial, advised=True) as stage:
        with Keepers(stage.url, stage.choreography, trial.folder, on_postgres=on_postgres) as keepers:
            await keepers.come_to(_read(stage))
            load = await stage.press(rate=rate, most=runs)
            rebuilds = Rebuilds(keepers, kinds)
            rebuilding = asyncio.create_task(rebuilds.run())
            # Each kind first, and then by chance: however short the load is, nothing is left out.
            next_ones, killed = trial.random.sample(kinds, len(kinds)), Counter[str]()
            try:
                while load.running or next_ones:
                    await stage.pause(trial.random.uniform(pause / 4, pause))
                    what = next_ones.pop() if next_ones else trial.random.choice(kinds)
                    await _kill(trial, keepers, rebuilds, what)
                    if rebuilding.done():
                        rebuilding.result()
                    killed[what] += 1
                    trial.recovered("the tables where the log was", await keepers.come_to(_read(stage)))
                stage.healed()
                await asyncio.wait_for(rebuilding, PATIENCE)
            finally:
                rebuilding.cancel()
                await asyncio.gather(rebuilding, return_exceptions=True)
            await stage.until(lambda: stage.idle, "what is owed")
            await stage.garbage.rest()
            trial.recovered("the tables at the end", await keepers.come_to(_read(stage)))
            began = time.monotonic()
            trial.wrong(*await keepers.verified())
            trial.wrong(*await keepers.refolded(stage.partitions))
            trial.notes["seconds of verifying"] = round(time.monotonic() - began, 1)
            trial.notes["killed"] = dict(killed)
            trial.notes["rebuilds until one came to its end"] = len(rebuilds.all)
            trial.notes["killed under a rebuild"] = {
                f"rebuild {n}": sorted(each.under_way) for n, each in enumerate(rebuilds.all, 1) if each.under_way
            }
            trial.figures["kills_under_a_rebuild"] = sum(len(each.under_way) for each in rebuilds.all)
            trial.wrong(*wrong_rebuilds(rebuilds.all, kinds))
            trial.figures["used"] = await asyncio.to_thread(keepers.used)
            if not trial.figures["used"]:
                trial.wrong("the tables know of no use of models: it was not tried")
            trial.wrong(*keepers.complaints())


def _read(stage: Stage) -> dict[int, int]:
    """By partition, where the log was read up to by whoever watches it."""
    return {part.number: part.records[-1][0].offset + 1 for part in stage.found.partitions if part.records}


async def _kill(trial: Trial, keepers: Keepers, rebuilds: Rebuilds, what: str) -> None:
    if what == "PostgreSQL":
        assert keepers.server is not None
        end, begin = keepers.server.kill, keepers.server.start
    elif what == "the broker":
        end, begin = trial.broker.kill, trial.broker.start
    else:
        which = trial.random.randrange(keepers.count)
        end, begin = partial(keepers.end, which), partial(keepers.begin, which)

    async def harm() -> None:
        trial.fault(f"kill {what}")
        await asyncio.to_thread(end)

    await rebuilds.kill(what, harm, begin)
