"""Membership of a consumer group, and nothing else of it.

The group's consumer subscribes to the events, and every partition it gets is paused at once: records are read by a
`KafkaReader`, which a rebalance does not disturb. No offsets are committed; the log says what is owed.

Rebalances here are eager: all members give everything up for a moment, mostly to get it back. That moment is not
reported, unless it lasts longer than `SETTLE` seconds.

A member under a stable name (static membership) does not leave the group on exit, so that a restart within the session
costs no rebalance; set `leave` where it ends for good. A member without a name always leaves.
"""

import asyncio
import time
from collections.abc import Iterable
from typing import Any, Final

from aiokafka import AIOKafkaConsumer
from aiokafka import errors as kafka
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from aiokafka.protocol.admin import DescribeGroupsRequest

from farandole.eventstore.contract import Ownership
from farandole.eventstore.errors import StoreError, StoreMisconfigured

from .failures import told, unreachable
from .link import FIRST_BACKOFF, LAST_BACKOFF, close_client, end, why_unreachable
from .quiet import log
from .settings import KafkaSettings
from .stats import Stats


class _Replaced(StoreError):
    """Another process goes by this member's name."""


SETTLE: Final = 2.0
POLL: Final = 0.25
REBALANCE: Final = 60.0
_STOPPING: Final = 5.0


class KafkaOwnership(Ownership):
    """One member of a consumer group.

    Args:
        settings: how to reach the cluster, and the session time-out.
        topic: the topic whose partitions are shared out.
        group: the group's name.
        member: a stable name for this process, or None.
        name: what the brokers call this client in their logs.
        stats: where to count.

    Attributes:
        leave: whether the group is told on exit; by default only without a stable name.
    """

    def __init__(
        self, settings: KafkaSettings, topic: str, group: str, member: str | None, name: str, stats: Stats
    ) -> None:
        self.leave = member is None
        self._settings = settings
        self._topic = topic
        self._group = group
        self._member = member
        self._name = name
        self._stats = stats
        self._owned: frozenset[int] = frozenset()
        self._told: frozenset[int] = frozenset()
        self._changed = asyncio.Event()
        self._error: StoreError | None = None
        self._consumer: Any = None
        self._task: asyncio.Task[None] | None = None
        self._losing: asyncio.TimerHandle | None = None
        self._replaced = asyncio.Event()
        self._heard = time.monotonic()
        self.closed = False

    @property
    def owned(self) -> frozenset[int]:
        return self._owned

    async def changed(self) -> frozenset[int]:
        while True:
            if self._error is not None:
                raise self._error
            if self._owned != self._told:
                self._told = self._owned
                return self._told
            self._changed.clear()
            await self._changed.wait()

    async def __aenter__(self) -> "KafkaOwnership":
        if self._task is None and self._error is None:
            self.closed = False
            self._task = asyncio.ensure_future(self._keep_up())
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    async def close(self, why: StoreError | None = None) -> None:
        """Give all partitions back. Safe to call twice.

        Args:
            why: what those who wait in `changed` are told; without it they wait on.
        """
        self.closed = True
        self._error = self._error or why
        task, self._task = self._task, None
        if task is not None:
            await end(task)
        self._settle(frozenset())

    async def _keep_up(self) -> None:
        backoff = FIRST_BACKOFF
        while True:
            begun = time.monotonic()
            try:
                await self._belong()
            except (StoreMisconfigured, _Replaced) as e:
                self._error = e
                self._settle(frozenset())
                return
            except Exception as e:
                # Whatever it was, the client's own faults included: a worker without partitions is worse.
                log.warning("the member of %s is built anew: %s", self._group, told(e))
                self._stats.member_rebuilds += 1
                self._lose_later()
            if time.monotonic() - begun > self._settings.session:
                backoff = FIRST_BACKOFF
            await asyncio.sleep(backoff)
            backoff = min(2 * backoff, LAST_BACKOFF)

    async def _belong(self) -> None:
        """Be a member until something breaks."""
        consumer = self._consumer = self._make()
        starting = asyncio.ensure_future(consumer.start())
        poll: asyncio.Future[Any] | None = None
        self._heard = time.monotonic()
        try:
            await self._started(starting)
            while not self._replaced.is_set():
                # Always polling, also with nothing to poll: a member that does not is not let in again. In a task of
                # its own, for the client forgets the time limit while a rebalance goes on.
                if poll is None or poll.done():
                    if poll is not None:
                        poll.result()
                    poll = asyncio.ensure_future(consumer.getmany(timeout_ms=int(POLL * 1000), max_records=1))
                await asyncio.wait([poll], timeout=POLL)
                if self._session_lapsed():
                    self._settle(frozenset())
                    # The group may turn out to have kept this member; joining again tells.
                    consumer._coordinator.request_rejoin()
            raise _Replaced(
                f"another process has joined {self._group} as {self._member}, so this one is no longer its member: "
                "stop one of them, or give each process a name of its own"
            )
        except (kafka.KafkaError, OSError, TimeoutError) as e:
            raise unreachable(f"being a member of {self._group}", self._settings.url, e) from e
        finally:
            await self._stop(consumer, [starting] if poll is None else [starting, poll])

    async def _started(self, starting: asyncio.Future[None]) -> None:
        try:
            async with asyncio.timeout(REBALANCE + self._settings.session):
                await asyncio.shield(starting)
        except kafka.KafkaConnectionError as e:
            raise await why_unreachable(self._settings) or e from e

    def _session_lapsed(self) -> bool:
        """Whether the group has surely given this member up, for no coordinator was known for a whole session."""
        if self._consumer._coordinator.coordinator_id is not None:
            self._heard = time.monotonic()
        return time.monotonic() - self._heard > self._settings.session

    async def _was_replaced(self) -> bool:
        """Whether this member, which the group does not know any more, now stands there as another process.

        The client would join again under the same name and throw the other one out, and so on for ever.
        """
        consumer = self._consumer
        if self._member is None or consumer is None or consumer._coordinator.member_id:
            return False
        try:
            async with asyncio.timeout(self._settings.request_timeout):
                node = await consumer._client.coordinator_lookup(0, self._group)
                response = await consumer._client.send(node, DescribeGroupsRequest([self._group]))
        except (kafka.KafkaError, OSError, TimeoutError):
            return False
        # A broker makes the id of a static member from its name and a UUID.
        ids = [member[0] for group in response.groups for member in group[5]]
        return any(each[:-37] == self._member for each in ids)

    def _make(self) -> Any:
        session = self._settings.session
        # The client keeps what was assigned last in the class, which several members in one process would share.
        assignor = type("Sticky", (StickyPartitionAssignor,), {})
        consumer = AIOKafkaConsumer(
            **self._settings.client_options(self._name),
            group_id=self._group,
            group_instance_id=self._member,
            partition_assignment_strategy=(assignor,),
            session_timeout_ms=int(session * 1000),
            heartbeat_interval_ms=int(min(max(session / 30, 0.5), 3.0, session / 3) * 1000),
            rebalance_timeout_ms=int(max(REBALANCE, session) * 1000),
            max_poll_interval_ms=2**31 - 1,
            enable_auto_commit=False,
            auto_offset_reset="latest",
        )
        consumer.subscribe([self._topic], listener=_Listener(self, consumer))
        return consumer

    async def _stop(self, consumer: Any, tasks: list[asyncio.Future[Any]]) -> None:
        self._consumer = None
        coordinator = consumer._coordinator
        if self.leave and coordinator is not None:
            # The client never leaves for a static member; the broker would let it.
            coordinator._group_instance_id = None
        stopping = asyncio.ensure_future(consumer.stop())
        await asyncio.wait([stopping], timeout=_STOPPING)
        tasks.append(stopping)
        for each in tasks:
            each.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await close_client(consumer._client)

    def _settle(self, partitions: frozenset[int]) -> None:
        if self._losing is not None:
            self._losing.cancel()
            self._losing = None
        self._owned = partitions
        self._changed.set()

    def _lose_later(self) -> None:
        if self._losing is None and self._owned:
            self._losing = asyncio.get_running_loop().call_later(SETTLE, self._settle, frozenset())


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]
    """Hears of rebalances and passes the outcome on."""

    def __init__(self, owner: KafkaOwnership, consumer: Any) -> None:
        self._owner = owner
        self._consumer = consumer
        self._joined = False

    async def on_partitions_revoked(self, revoked: Iterable[Any]) -> None:
        self._owner._lose_later()
        if self._joined and await self._owner._was_replaced():
            self._owner._replaced.set()
            # The only way to keep the client from joining again: any other exception it would log and go on.
            raise asyncio.CancelledError

    def on_partitions_assigned(self, assigned: Iterable[Any]) -> None:
        partitions = list(assigned)
        self._consumer.pause(*partitions)
        self._joined = True
        self._owner._stats.rebalances += 1
        self._owner._settle(frozenset(each.partition for each in partitions))
