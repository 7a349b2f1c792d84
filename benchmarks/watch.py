"""Seeing ends as they come, by a reader of its own that decodes nothing but the type."""

import time
from collections.abc import Collection, Iterable
from itertools import pairwise
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, TopicPartition

from benchmarks import chain_app as app
from benchmarks.options import servers_of
from farandole.eventstore import EventStore
from farandole.schemas import EventTypes
from farandole.schemas.envelope import Header


class Watch:
    """Counts records of one type from the present end of a log on. Use as an async context manager.

    On Kafka it is a plain consumer that reads what is committed, the same for every system, so that a system with
    transactions is not told to be done before it is.
    """

    def __init__(self, ends: bytes) -> None:
        self._ends = ends

    @classmethod
    async def of(cls, url: str, store: EventStore, types: EventTypes, event: type = app.Finished) -> "Watch":
        """A watch on a log, at its present end."""
        ends = types.wire_name(event).encode()
        places = {p: e.next for p, e in (await store.ends(range(store.partitions))).items()}
        if url.startswith("kafka:"):
            return await _OnKafka(ends).begin(url, f"{types.prefix}.events", places)
        return _OnStore(ends, store, places)

    async def some(self) -> int:
        """Wait a moment for records, and say how many of them are ends."""
        return self._count(await self._read())

    async def steps(self, of: Collection[bytes], within: float) -> list[float]:
        """Seconds from seeing each record of these types to seeing the next one, of the one run that is at work.

        Raises:
            SystemExit: it took longer than that, or there are not as many records as types.
        """
        seen: list[float] = []
        until = time.perf_counter() + within
        while time.perf_counter() < until:
            all_headers = list(await self._read())
            now = time.perf_counter()
            seen += [now for headers in all_headers for name, value in headers if name == "ce_type" and value in of]
            if self._count(all_headers):
                if len(seen) != len(of):
                    raise SystemExit(f"a run of {len(of)} events has {len(seen)}: something was done twice")
                return [then - before for before, then in pairwise(seen)]
        raise SystemExit(f"a run did not end within {within:g} s")

    async def _read(self) -> Iterable[Iterable[Header]]:
        """Wait a moment for records; the headers of each."""
        raise NotImplementedError

    async def ends(self, count: int, within: float) -> float:
        """The time (`time.perf_counter`) at which so many ends were seen.

        Raises:
            SystemExit: there were fewer within so many seconds.
        """
        seen, until = 0, time.perf_counter() + within
        while seen < count:
            if time.perf_counter() > until:
                raise SystemExit(f"only {seen} of {count} runs ended within {within:g} s")
            seen += await self.some()
        if seen > count:
            raise SystemExit(f"{seen} ends of {count} runs: something was done twice")
        return time.perf_counter()

    def _count(self, all_headers: Iterable[Iterable[Header]]) -> int:
        ends, found = self._ends, 0
        for headers in all_headers:
            for name, value in headers:
                if name == "ce_type":
                    found += value == ends
                    break
        return found

    async def close(self) -> None: ...

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()


class _OnKafka(Watch):
    _consumer: Any

    async def begin(self, url: str, topic: str, places: dict[int, int]) -> "Watch":
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=servers_of(url), enable_auto_commit=False, isolation_level="read_committed"
        )
        await self._consumer.start()
        self._consumer.assign([TopicPartition(topic, p) for p in places])
        for partition, place in places.items():
            self._consumer.seek(TopicPartition(topic, partition), place)
        return self

    async def _read(self) -> Iterable[Iterable[Header]]:
        found = await self._consumer.getmany(timeout_ms=500)
        return (r.headers for records in found.values() for r in records)

    async def close(self) -> None:
        await self._consumer.stop()


class _OnStore(Watch):
    def __init__(self, ends: bytes, store: EventStore, places: dict[int, int]) -> None:
        super().__init__(ends)
        self._reader = store.reader()
        self._reader.follow(places)

    async def _read(self) -> Iterable[Iterable[Header]]:
        return (r.headers for batch in await self._reader.read() for r in batch)

    async def close(self) -> None:
        await self._reader.close()
