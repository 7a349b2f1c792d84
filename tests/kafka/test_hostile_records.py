"""Ten thousand hostile records, written to a real topic while a worker is at work on it: nobody stops, none is lost."""

import asyncio
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from aiokafka import AIOKafkaProducer

from checker import Topics
from farandole.eventstore import Stored
from farandole.eventstore.kafka import KafkaStore
from farandole.reactors import Client
from flow.workers import run_module
from hostile.account import Account
from hostile.corpus import Bad, Corpus
from hostile.dance import PARTITIONS, Begun, Done, dance
from hostile.test_other_stores import plant

from .conftest import Open

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(240)]
COUNT = 10_000
BATCH = 250
SEED = 20_261
MEDIAN_WAIT = 1.0
"""Seconds that a sound run among them may wait; the longest wait is told, for it is the machine's as well."""
MOST_GROWTH = 64 << 20
"""Bytes that a worker may grow by: what is open of the runs that the records began, and buffers."""


class Worker:
    """A worker in a process of its own, watched.

    Args:
        url: of the store.
        name: of the choreography.
        log: where its log goes.
    """

    def __init__(self, url: str, name: str, log: Path) -> None:
        self._log = log
        with log.open("w") as out:
            self._process = run_module("hostile.dance", url, name, stdout=out, stderr=out)
        self._inside = psutil.Process(self._process.pid)

    @property
    def memory(self) -> int:
        """Bytes that it holds."""
        return int(self._inside.memory_info().rss)

    def check(self) -> None:
        """It lives and has logged no traceback."""
        said = self._log.read_text()
        assert self._process.poll() is None, said[-4000:]
        assert not any(line.startswith("Traceback") for line in said.splitlines()), said[-4000:]
        assert "\x1b" not in said

    def stop(self) -> int:
        """As an operator would; its exit code."""
        self._process.terminate()
        return self._process.wait(60)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


async def write(producer: AIOKafkaProducer, topic: str, bad: list[Bad]) -> list[tuple[int, int]]:
    """Write records as a stranger would; their places."""
    places: list[tuple[int, int]] = []
    for partition in range(PARTITIONS):
        left = [each.record for each in bad if each.partition == partition]
        while left:
            batch, count = producer.create_batch(), 0
            for key, value, headers in left:
                # To the client a header without content has no value, which is something else.
                own = [(name, content or None) for name, content in headers]
                if batch.append(timestamp=None, key=key, value=value, headers=own) is None:
                    break
                count += 1
            batch.close()
            done = await (await producer.send_batch(batch, topic, partition=partition))
            places += [(partition, done.offset + n) for n in range(count)]
            del left[:count]
    return places


async def healthy(client: Client) -> float:
    """Run a sound run to its end; how long that took."""
    began = time.monotonic()
    run = await client.start(Begun(word="sound", numbers=[1, 2, 3]))
    assert await run.result(Done, timeout="60s") == Done(n=3)
    return time.monotonic() - began


async def copied(store: KafkaStore) -> int:
    """How many copies there are in the topic of rejected records."""
    return (await store._link.ends(f"{store.choreography}.rejected", [0]))[0].next


async def test_ten_thousand_hostile_records_on_kafka_stop_nothing(
    opened: Open, kafka: str, name: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    name = name.replace("-", "_")
    choreography = dance(name)
    store = await opened(kafka, choreography=name, partitions=PARTITIONS)
    worker = Worker(f"kafka://{kafka}", name, tmp_path / "worker.log")
    try:
        async with (
            choreography.connect(f"kafka://{kafka}") as client,
            Topics(kafka, name) as topics,
            AIOKafkaProducer(bootstrap_servers=kafka, compression_type="gzip", max_request_size=1 << 20) as producer,
        ):
            for _ in range(20):
                await healthy(client)
            account = Account(await topics.table())
            corpus = Corpus(choreography, SEED, time.time_ns() // 1_000_000, await plant(store, name)).take(COUNT)
            before, most = worker.memory, 0
            written: list[tuple[int, int]] = []
            waits: list[float] = []
            for _ in range(COUNT // BATCH):
                written += await write(producer, f"{name}.events", [next(corpus) for _ in range(BATCH)])
                waits.append(await healthy(client))
                worker.check()
                most = max(most, worker.memory)
            async with asyncio.timeout(90):
                while True:
                    waits.append(await healthy(client))
                    account.take(_stored(raw) for raw in await topics.catch_up())
                    if not account.owed_still(time.time_ns() // 1_000_000) and await copied(store) >= len(
                        account.unreadable
                    ):
                        break
                    most = max(most, worker.memory)
                    worker.check()
            account.conclude()
            assert not account.not_copied([copy async for copy in store.rejected()])
            tally = account.tally(written)
            print(tally, f"{len(account.unreadable)} copied, wait {statistics.median(waits):.3f} s, {max(waits):.3f} s")
            print(f"memory {before >> 20} MiB, {most >> 20} MiB at most")
            record_property("seconds that a sound run waited, median", round(statistics.median(waits), 3))
            record_property("seconds that a sound run waited, most", round(max(waits), 3))
            assert tally.total() == COUNT
            assert statistics.median(waits) < MEDIAN_WAIT
            assert most - before < MOST_GROWTH
        assert worker.stop() == 0
    finally:
        worker.kill()


def _stored(raw: tuple[object, ...]) -> Stored:
    *place, headers = raw
    return Stored(*place, [(name, value or b"") for name, value in headers])  # type: ignore[arg-type, attr-defined]
