"""One life of the client's producer: from its start until nothing it does can be trusted any more."""

import asyncio
import contextlib
from typing import Any, Final

from aiokafka import AIOKafkaProducer
from aiokafka import errors as kafka

from .failures import unreachable
from .link import close_client, cut, why_unreachable
from .settings import KafkaSettings

GRACE: Final = 0.5
"""Seconds that batches on their way get to arrive before a producer ends."""


class Session:
    """One life of the client's producer.

    Attributes:
        producer: the client's.
        broken: it is in doubt and gets no new batches.
        severed: it can send nothing any more.
        in_flight: the client's futures of batches on their way.
    """

    def __init__(self, producer: Any) -> None:
        self.producer = producer
        self.broken = False
        self.severed = False
        self.in_flight: set[asyncio.Future[Any]] = set()
        self._abandoned: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, settings: KafkaSettings, room: int) -> "Session":
        """Start one whose batches have ``room`` bytes.

        Raises:
            StoreUnavailable: no broker answers.
            StoreMisconfigured: the credentials or certificates are wrong.
        """
        producer = AIOKafkaProducer(
            **settings.client_options("farandole-producer"),
            enable_idempotence=True,
            acks="all",
            linger_ms=0,
            max_batch_size=room,
            max_request_size=room,
        )
        session = cls(producer)
        try:
            async with asyncio.timeout(2 * settings.request_timeout):
                await producer.start()
        except (kafka.KafkaError, OSError, TimeoutError) as e:
            await session.abandon()
            cause = await why_unreachable(settings) or e
            raise unreachable("connecting the producer", settings.url, cause) from cause
        except BaseException:
            await session.abandon()
            raise
        return session

    async def abandon(self) -> None:
        """End it. Returns when it can send nothing any more, however often and by whomever it is called."""
        if self._abandoned is None:
            self._abandoned = asyncio.ensure_future(self._end())
        await asyncio.shield(self._abandoned)

    async def _end(self) -> None:
        if self.in_flight:
            # Other partitions may be healthy, perhaps at other brokers: their batches get a moment to arrive.
            await asyncio.wait(self.in_flight, timeout=GRACE)
        producer = self.producer
        producer._closed = True
        self.severed = True
        cut(producer.client)
        for future in list(self.in_flight):
            future.cancel()
        # Not `stop`: that waits for batches which are never given up.
        ending = asyncio.ensure_future(producer._sender.close())
        for _ in range(2):
            await asyncio.wait([ending], timeout=2 * GRACE)
            ending.cancel()
        with contextlib.suppress(Exception, asyncio.CancelledError):
            if ending.done():
                ending.result()
        await close_client(producer.client)
