"""A line to the cluster for everything but produce requests and group membership.

It wraps the client's connection pool. The pool is disposable: one that cannot refresh what it knows of the cluster is
thrown away and built anew from the addresses in the URL.
"""

import asyncio
import time
from collections.abc import Iterable
from typing import Any, Final

from aiokafka import TopicPartition
from aiokafka import errors as kafka
from aiokafka.client import AIOKafkaClient
from aiokafka.conn import create_conn
from aiokafka.protocol.offset import OffsetRequest

from farandole.eventstore.contract import Ends
from farandole.eventstore.errors import StoreClosed, StoreMisconfigured

from .failures import NOT_AUTHORISED, told, unreachable
from .quiet import log
from .settings import KafkaSettings

FIRST_BACKOFF: Final = 0.05
LAST_BACKOFF: Final = 1.0

_EARLIEST, _LATEST = -2, -1


class Link:
    """Connections to the brokers, made on demand. Safe for use by several tasks of one event loop.

    Args:
        settings: how to reach the cluster.
        topics: the topics whose leaders are wanted.
        name: what the brokers call this client in their logs.
    """

    def __init__(self, settings: KafkaSettings, topics: Iterable[str], name: str) -> None:
        self.settings = settings
        self.rebuilds = 0
        self._topics = set(topics)
        self._name = name
        self._client: Any = None
        self._lock = asyncio.Lock()
        self._failed = 0
        self._closed = False

    async def open(self) -> None:
        """Connect now rather than at the first request.

        Raises:
            StoreUnavailable: no broker answers.
            StoreMisconfigured: the credentials or certificates are wrong.
        """
        await self._pool()

    async def send(self, node: int, request: Any) -> Any:
        """Send a request to a broker and return its response.

        Raises:
            KafkaError: the client's own errors; callers decide whether to try again.
            StoreError: no connection pool could be made.
        """
        return await (await self._pool()).send(node, request)

    async def coordinator(self, group: str) -> int:
        """The broker that coordinates a consumer group.

        Raises:
            KafkaError, StoreError: as for `send`.
        """
        node: int = await (await self._pool()).coordinator_lookup(0, group)
        return node

    @property
    def connected(self) -> bool:
        """Whether there is a connection pool, which says nothing of the brokers."""
        return self._client is not None

    def leaders(self, topic: str, partitions: Iterable[int]) -> dict[int | None, list[int]]:
        """Partitions by the broker that leads them, as far as is known; None: by no broker."""
        by_node: dict[int | None, list[int]] = {}
        if self._client is None:
            return {None: [*partitions]}
        leader = self._client.cluster.leader_for_partition
        for partition in partitions:
            node = leader(TopicPartition(topic, partition))
            by_node.setdefault(None if node == -1 else node, []).append(partition)
        return by_node

    async def refresh(self) -> bool:
        """Ask a broker who leads what. False if none answered; after several of those the pool is built anew."""
        pool = await self._pool()
        answer = asyncio.ensure_future(pool.force_metadata_update())
        # The pool's own task could have died, and then nobody would ever answer.
        await asyncio.wait(
            [answer, pool._sync_task], timeout=2 * self.settings.request_timeout, return_when=asyncio.FIRST_COMPLETED
        )
        if answer.done() and not answer.cancelled() and answer.exception() is None and answer.result():
            self._failed = 0
            return True
        answer.cancel()
        self._failed += 1
        if self._failed >= 3:
            await self.renew()
        return False

    async def renew(self) -> None:
        """Throw the connection pool away; the next request makes another."""
        pool, self._client, self._failed = self._client, None, 0
        if pool is not None:
            self.rebuilds += 1
            log.info("connections to %s are built anew", self.settings.url)
            cut(pool)
            await close_client(pool)

    async def ends(self, topic: str, partitions: Iterable[int]) -> dict[int, Ends]:
        """The first and next offset of partitions, as the leaders know them.

        Raises:
            StoreUnavailable: not all leaders answered within the settings' patience.
            StoreMisconfigured: this user may not read the topic.
        """
        wanted = list(dict.fromkeys(partitions))
        firsts, nexts = await asyncio.gather(
            self._offsets(topic, wanted, _EARLIEST), self._offsets(topic, wanted, _LATEST)
        )
        return {p: Ends(firsts[p], max(firsts[p], nexts[p])) for p in wanted}

    async def offset_at(self, topic: str, partition: int, time: int) -> int | None:
        """The offset of the first record that was not taken before a time; None if there is none.

        Args:
            time: milliseconds since 1970 UTC.

        Raises:
            StoreUnavailable, StoreMisconfigured: as for `ends`.
        """
        found = (await self._offsets(topic, [partition], max(time, 0)))[partition]
        return None if found < 0 else found

    async def close(self) -> None:
        """Close all connections. Safe to call twice."""
        self._closed = True
        pool, self._client = self._client, None
        if pool is not None:
            cut(pool)
            await close_client(pool)

    async def _offsets(self, topic: str, partitions: list[int], which: int) -> dict[int, int]:
        found: dict[int, int] = {}
        deadline = time.monotonic() + self.settings.patience
        backoff = FIRST_BACKOFF
        while True:
            error: Exception | None = None
            left = [p for p in partitions if p not in found]
            if not left:
                return found
            await self.open()
            for node, its in self.leaders(topic, left).items():
                if node is None:
                    error = error or kafka.LeaderNotAvailableError(f"no leader is known for {topic}/{its[0]}")
                    continue
                try:
                    response = await self.send(node, OffsetRequest(-1, 0, [(topic, [(p, which) for p in its])]))
                except kafka.KafkaError as e:
                    error = e
                    continue
                for _, answers in response.topics:
                    for partition, code, *rest in answers:
                        if code == 0:
                            # Version 0 answers with a list of offsets, later ones with a time and one offset.
                            found[partition] = rest[-1][0] if isinstance(rest[-1], list) else rest[-1]
                            continue
                        error = kafka.for_code(code)(f"{topic}/{partition}")
                        if code in NOT_AUTHORISED:
                            raise unreachable(f"finding the ends of {topic}", self.settings.url, error) from error
            if error is None:
                continue
            if time.monotonic() > deadline:
                raise unreachable(f"finding the ends of {topic}", self.settings.url, error) from error
            await asyncio.sleep(backoff)
            backoff = min(2 * backoff, LAST_BACKOFF)
            await self.refresh()

    async def _pool(self) -> Any:
        if self._client is not None:
            return self._client
        async with self._lock:
            if self._closed:
                raise StoreClosed(f"the store {self.settings.url} was closed: open it again to use it")
            if self._client is not None:
                return self._client
            client = AIOKafkaClient(**self.settings.client_options(self._name))
            try:
                await client.bootstrap()
                async with asyncio.timeout(2 * self.settings.request_timeout):
                    await client.set_topics(self._topics)
            except (kafka.KafkaError, OSError, TimeoutError) as e:
                await close_client(client)
                cause = await why_unreachable(self.settings) or e
                raise unreachable("connecting", self.settings.url, cause) from cause
            except BaseException:
                await close_client(client)
                raise
            self._client = client
            return client


async def why_unreachable(settings: KafkaSettings) -> Exception | None:
    """Connect to the first broker once more, for the error that the client's start hides; None if it works."""
    host, _, port = settings.servers[0].rpartition(":")
    options = settings.client_options("farandole-probe")
    for name in ("bootstrap_servers", "retry_backoff_ms"):
        del options[name]
    try:
        connection = await create_conn(host.strip("[]"), int(port), **options)
    except StoreMisconfigured:
        raise
    except (kafka.KafkaError, OSError, TimeoutError) as e:
        return e
    connection.close()
    return None


async def close_client(client: Any) -> None:
    """Close a client of the library, but do not wait for brokers that are away."""
    try:
        async with asyncio.timeout(2):
            await client.close()
    except (TimeoutError, kafka.KafkaError) as e:
        log.debug("a client did not close in order: %s", told(e))


class _Severed(dict[Any, Any]):
    """Stands where a client keeps its connections, and lets none be kept or used."""

    def __setitem__(self, key: Any, connection: Any) -> None:
        connection.close()

    def __getitem__(self, key: Any) -> Any:
        raise kafka.KafkaConnectionError("this client was cut off")


def cut(client: Any) -> None:
    """Close all connections of a client at once, and see to it that it sends nothing ever again.

    Closing is not enough: its tasks would connect anew and repeat what they were at.
    """
    connections, client._conns = client._conns, _Severed()
    for connection in connections.values():
        connection.close()


async def end(task: asyncio.Task[Any]) -> None:
    """Cancel a task until it has ended, and wait for it. The client swallows a cancellation now and then."""
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=1)
