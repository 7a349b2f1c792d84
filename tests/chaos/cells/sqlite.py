"""SQLite: processes that are killed while they write, and a disk that is full."""

import asyncio
import resource
import subprocess
from collections.abc import Sequence
from decimal import Decimal

from examples.orders.events import OrderPlaced

from chaos.cell import cell
from chaos.crew import Crew
from chaos.trial import Trial
from checker import Examination, Raw
from farandole.eventstore import EventStore, Reader, Stored, connect
from farandole.reactors import Choreography
from flow.order_histories import card, wrong_histories
from flow.workers import REACTORS, run_module


@cell(
    "sqlite-kill",
    "processes that append to one SQLite file are killed with -9 at any moment",
    tested={"kills": 40, "at_once": 2},
    whole={"kills": 1000, "at_once": 2},
    on_kafka=False,
)
async def sqlite_kill(trial: Trial, kills: int, at_once: int) -> None:
    """What was acknowledged is there, and no batch is torn."""
    url = f"sqlite:///{trial.folder}/log.db?synchronous=normal"
    arguments = (url, str(kills), str(at_once), str(trial.seed))
    nursery = run_module("chaos.nursery", *arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    said, complained = await asyncio.to_thread(nursery.communicate)
    trial.did("kill -9", times=kills)
    trial.figures.update(faults=kills, crashes=kills)
    trial.wrong(*complained.splitlines()[:20])
    acknowledged = [line.split(" ") for line in said.splitlines() if line[:1].isdigit()]
    trial.wrong(*(line for line in said.splitlines() if not line[:1].isdigit()))
    async with await connect(url, "dance", partitions=4) as store:
        found = [await _whole(store, p) for p in range(4)]
    trial.wrong(*(problem for records in found for problem in _torn(records)))
    trial.figures.update(acknowledged=len(acknowledged), records=sum(map(len, found)))
    if len(acknowledged) < kills:
        trial.wrong(f"only {len(acknowledged)} appends were acknowledged among {kills} kills: nothing was tried")
    for partition, offset, tag, size in acknowledged:
        records, at = found[int(partition)], int(offset)
        if at >= len(records) or records[at].value != f"{tag}/0/{size}".encode():
            trial.wrong(f"I2: {tag} was acknowledged at {partition}/{offset} and is not there")


async def _whole(store: EventStore, partition: int) -> list[Stored]:
    return await store.fetch(partition, range((await store.ends([partition]))[partition].next))


def _torn(records: Sequence[Stored]) -> list[str]:
    """Batches that are not in one piece."""
    at = 0
    while at < len(records):
        tag, _, size = (records[at].value or b"").decode().split("/")
        batch = records[at : at + int(size)]
        if [r.value for r in batch] != [f"{tag}/{i}/{size}".encode() for i in range(int(size))]:
            return [f"{tag} is torn at offset {at}"]
        at += int(size)
    return []


@cell(
    "sqlite-full",
    "the files of workers that share an SQLite log can grow no further, as on a full disk, then can again",
    tested={"times": 1, "runs": 100, "seconds": 2},
    whole={"times": 6, "runs": 100, "seconds": 4},
    on_kafka=False,
)
async def sqlite_full(trial: Trial, times: int, runs: int, seconds: float) -> None:
    url = f"sqlite:///{trial.folder}/orders.db"
    orders = Choreography("orders")
    orders.know(OrderPlaced)
    async with await connect(url, "orders", partitions=4) as store, orders.connect(url, partitions=4) as client:
        reader = store.reader()
        reader.follow(dict.fromkeys(range(4), 0))
        with Crew(url, trial.folder, partitions=4) as crew:
            crew.start()
            records: list[Raw] = []
            async with asyncio.timeout(60):
                while sum(dict(raw.headers)["ce_type"] == b"farandole.Contract" for raw in records) < REACTORS * 4:
                    records += await _more(reader)
            found = Examination(4, await store.catalogue.load())
            found.take(records)
            for n in range(times):
                numbers = range(n * runs, (n + 1) * runs)
                for number in numbers:
                    order = OrderPlaced(customer="c", amount=Decimal(number), address="here", card=card(number))
                    await client.start(order, run_id=f"order-{number}")
                await _fill_up(trial, crew, found, reader, seconds)
                healed = asyncio.get_running_loop().time()
                async with asyncio.timeout(60):
                    while found.closed < (n + 1) * runs:
                        found.take(await _more(reader))
                        crew.check()
                trial.recovered("room again, all done", asyncio.get_running_loop().time() - healed)
            trial.wrong(*crew.complaints())
        await reader.close()
    trial.wrong(*found.conclude()[:20], *wrong_histories(found.runs)[:20])
    trial.figures.update(runs=len(found.runs), events=sum(len(run.history) for run in found.runs))


async def _fill_up(trial: Trial, crew: Crew, found: Examination, reader: Reader, seconds: float) -> None:
    """Let no worker's file grow for a while; whoever tries is told that there is no room."""
    size = max(path.stat().st_size for path in trial.folder.glob("orders.db*"))
    for hand in crew.hands:
        limit = trial.random.randrange(4096, size)
        trial.fault("no room", member=hand.member, bytes=limit)
        resource.prlimit(hand.pid, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    until = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < until:
        found.take(await _more(reader))
    for hand in crew.hands:
        resource.prlimit(hand.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    trial.did("room again")


async def _more(reader: Reader) -> list[Raw]:
    return [Raw(*record) for batch in await reader.read(wait=0.1) for record in batch]
