"""Hostile records in memory and on SQLite: the same corpus as on Kafka, less of it."""

import asyncio
import json
import secrets
import time
from itertools import islice
from pathlib import Path

import pytest

from checker.catalogue import fingerprint_of
from farandole.eventstore import EventStore, Reader, Stored, connect
from farandole.reactors import Client

from .account import Account
from .corpus import BOMB, Corpus
from .dance import PARTITIONS, Begun, Done, dance

COUNT = 1500
BATCH = 100


async def plant(store: EventStore, name: str) -> bytes:
    """Put the schema of a bomb into the catalogue; its fingerprint."""
    schema = json.loads(BOMB % name.encode())
    mark = fingerprint_of(schema)
    entry = {"fingerprint": mark.hex(), "order": 2, "schema": schema}
    await store.catalogue.put(f"schema/{name}.Begun/1/b0b".encode(), json.dumps(entry).encode())
    return mark


async def healthy(client: Client) -> None:
    run = await client.start(Begun(word="sound", numbers=[1, 2, 3]))
    assert await run.result(Done, timeout="60s") == Done(n=3)


async def catch_up(store: EventStore, reader: Reader) -> list[Stored]:
    """What the log has that was not read yet."""
    found: list[Stored] = []
    ends = await store.ends(range(PARTITIONS))
    while any(reader.positions[p] < ends[p].next for p in ends):
        found += [record for batch in await reader.read() for record in batch]
    return found


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
async def test_hostile_records_stop_nothing(kind: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    choreography = dance(f"dance_{secrets.token_hex(6)}")
    url = "memory://hostile" if kind == "memory" else f"sqlite:///{tmp_path}/log.db"
    store = await connect(url, choreography.name, partitions=PARTITIONS)
    async with choreography.work(url) as client:
        await healthy(client)
        table = dict(await store.catalogue.load())
        corpus = Corpus(choreography, 1, time.time_ns() // 1_000_000, await plant(store, choreography.name))
        written: list[tuple[int, int]] = []
        bad = corpus.take(COUNT)
        while batch := list(islice(bad, BATCH)):
            # Each an append of its own, and all of them at once: the store waits for the disk once.
            offsets = await asyncio.gather(*(store.append(partition, [record]) for partition, record in batch))
            written += [(partition, offset) for (partition, _), offset in zip(batch, offsets, strict=True)]
            await healthy(client)
        account, reader = Account(table), store.reader()
        reader.follow(dict.fromkeys(range(PARTITIONS), 0))
        async with asyncio.timeout(60):
            while True:
                await healthy(client)
                account.take(await catch_up(store, reader))
                rejected = [record async for record in store.rejected()]
                now = time.time_ns() // 1_000_000
                if not account.owed_still(now) and not account.not_copied(rejected):
                    break
        await reader.close()
        account.conclude()
        print(account.tally(written))
    await store.close()
    assert "Traceback" not in "\n".join(r.getMessage() for r in caplog.records if r.exc_info)
    assert not [r for r in caplog.records if r.exc_info]
