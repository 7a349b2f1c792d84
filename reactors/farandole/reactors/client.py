"""The client: starts runs, sends to them, and waits for what becomes of them."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from copy import copy
from datetime import timedelta
from types import TracebackType
from typing import Any, Final, Self

from farandole.eventstore import (
    AppendUnknown,
    EventStore,
    NotAppended,
    Record,
    SchemaUnavailable,
    Stored,
    StoreUnavailable,
)
from farandole.schemas import Event, Start, acquaint, parse_duration
from farandole.schemas.ids import new_run_id

from .decisions import DecisionView, pending_decisions
from .failures import FailureGroup, failures, retry_all
from .follower import Follower
from .governing import Governed, govern, stopped_in
from .handle import RunHandle
from .live import LiveFeed
from .overview import RunList, list_runs
from .reading import failure_of, read_event
from .scribe import Scribe
from .starts import start_named
from .tracing import tracing_of

_PATIENCE: Final = 30.0
_WAITS: Final = (0.05, 0.1, 0.2, 0.5)


class Client:
    """A connection of one choreography, made by `Choreography.connect`; use as an async context manager.

    Attributes:
        store: its log.
        scribe: writes this client's records.
        follower: reads the log for questions about runs.
        live: hears what steps say while they are at work.
    """

    def __init__(self, store: EventStore, scribe: Scribe, *, owns_store: bool = True) -> None:
        self.store = store
        self.scribe = scribe
        self.follower = Follower(store, restores=True)
        self.live = LiveFeed(store)
        self._owns_store = owns_store
        self._tracing = tracing_of(scribe.choreography, store.url)

    async def start(
        self, event: Start, *, run_id: str | None = None, within: str | timedelta | float | None = None
    ) -> RunHandle:
        """Start a run, or find it started: the same ``run_id`` twice makes one run.

        Args:
            run_id: the run's id, 1 to 255 bytes of UTF-8; a random one by default.
            within: if the log takes the start only after so long, it starts nothing.

        Raises:
            TypeError: the event is not a `Start`.
            ValueError: the run id is empty or too long.
            AppendError: the start could not be appended; starting again with the same ``run_id`` is safe.
        """
        if not isinstance(event, Start):
            raise TypeError(f"client.start takes a Start; {type(event).__name__} is of another kind")
        run_id = new_run_id() if run_id is None else run_id
        key = run_id.encode()
        if not 1 <= len(key) <= 255:
            raise ValueError(f"a run id has 1 to 255 bytes of UTF-8, not {len(key)}")
        await acquaint(self.store.catalogue, self.scribe.types, type(event))
        record = self.scribe.start(key, event, 0 if within is None else self.not_after(within))
        view = self.follower.expect(key)
        await self.append(key, record)
        return RunHandle(self, run_id, dict(record.headers)["ce_id"], view)

    def run(self, run_id: str) -> RunHandle:
        """The run with this id, whether it was started or not. Reads nothing yet."""
        return RunHandle(self, run_id)

    async def runs(
        self,
        *,
        status: Collection[str] = (),
        type: type[Start] | str | None = None,
        limit: int = 50,
        everything: bool = False,
    ) -> RunList:
        """The runs of the log, those that moved last first.

        Args:
            status: only runs in one of these states (`RunStatus.status`).
            type: only runs that this start opened: its class, or the name of it, with or without the choreography.
            limit: at most so many.
            everything: read the whole log, so that runs that were closed before the newest checkpoints are there too.

        Raises:
            UnknownStart: ``type`` is the name of no event.
            TypeError: ``type`` is an event of another kind.
            StoreError: the log cannot be read.
        """
        start = None if type is None else await start_named(self, type)
        return await list_runs(self.store, status=status, type=start, limit=limit, everything=everything)

    async def decisions(self, *, to: str | None = None) -> list[DecisionView]:
        """What all runs ask people, the oldest question first.

        Args:
            to: only what asks this person or role (``role:editor``), or anybody.

        Raises:
            StoreError: the log cannot be read.
        """
        return [view for view in await pending_decisions(self) if to is None or view.is_for(to)]

    async def failures(self) -> list[FailureGroup]:
        """What failed for good and is parked, by reactor and cause, the largest group first.

        Raises:
            StoreError: the log cannot be read.
        """
        return await failures(self)

    async def retry(
        self,
        why: str = "",
        *,
        by: str = "",
        fingerprint: str | None = None,
        reactor: str | None = None,
        limit: int | None = None,
    ) -> int:
        """Make parked steps of all runs owed again, those that were parked first first.

        Args:
            fingerprint: only those of this cause (`FailureGroup.fingerprint`); its beginning will do.
            reactor: only those of this reactor.
            limit: at most so many.

        Returns:
            How many are owed again.

        Raises:
            ValueError: several causes begin with ``fingerprint``.
            StoreError: the log cannot be read.
            AppendError: a record could not be appended; retrying again is safe.
        """
        return await retry_all(self, fingerprint=fingerprint, reactor=reactor, limit=limit, why=why, by=by)

    async def stop(self, reactor: str | None = None, why: str = "", *, by: str = "") -> Governed:
        """Begin no further step of a reactor, or of any, in any run, until `go_on`.

        It is in force in every partition when this returns; a worker heeds it once it has read so far. Handlers at work
        go on to their end.

        Raises:
            UnknownReactor: no contract of that name is in force.
            PolicyRefused: somebody else keeps turning the same switch.
            AppendError: it could not be appended everywhere; stopping again is safe.
        """
        return await govern(self, reactor or "", stopped=True, why=why, by=by)

    async def go_on(self, reactor: str | None = None, why: str = "", *, by: str = "") -> Governed:
        """Let a reactor go on that was stopped, or all; those that were stopped by name stay so until let go on by name.

        Raises:
            UnknownReactor: no contract of that name is in force.
            PolicyRefused: somebody else keeps turning the same switch.
            AppendError: it could not be appended everywhere; doing it again is safe.
        """
        return await govern(self, reactor or "", stopped=False, why=why, by=by)

    async def stopped(self) -> list[str]:
        """The names of the reactors that are stopped; the empty name stands for all."""
        partitions = range(self.store.partitions)
        await self.follower.up_to_date(partitions)
        return stopped_in(self.follower.fold(p) for p in partitions)

    def of(self, source: str) -> Self:
        """This client, whose records say that they came from ``source``. It shares all else, and is not closed by itself.

        Args:
            source: what CloudEvents calls so, as ``/orders/dashboard?by=ann``.
        """
        other = copy(self)
        other.scribe = self.scribe.of(source)
        return other

    async def append(self, key: bytes, record: Record) -> None:
        """Append a record to its run's partition. While its fate is unknown the same bytes are appended again.

        Raises:
            TooLarge: the log takes no record of this size.
            AppendError: it could not be appended within half a minute.
        """
        partition = self.store.partition_of(key)
        if self._tracing is None:
            await self.append_to(partition, (record,))
        else:
            with self._tracing.sending(record, partition) as traced:
                await self.append_to(partition, (traced,))

    async def append_to(self, partition: int, records: Sequence[Record]) -> None:
        """Append records to a partition. While their fate is unknown the same bytes are appended again.

        Raises:
            TooLarge: the log takes no record of this size.
            AppendError: they could not be appended within half a minute.
        """
        until = asyncio.get_running_loop().time() + _PATIENCE
        attempt = 0
        while True:
            try:
                await self.store.append(partition, records)
            except (NotAppended, AppendUnknown, StoreUnavailable):
                if asyncio.get_running_loop().time() > until:
                    raise
                await asyncio.sleep(_WAITS[min(attempt, len(_WAITS) - 1)])
                attempt += 1
            else:
                return

    def not_after(self, within: str | timedelta | float) -> int:
        """The log time until which a command sent now may act, in milliseconds since 1970 UTC."""
        return self.scribe.now() // 1000 + int(parse_duration(within).total_seconds() * 1000)

    async def decode(self, record: Stored) -> Event:
        """The event that a record holds.

        Raises:
            UndecodableValue: the record holds no event that this process knows.
            SchemaUnavailable: another program wrote it, and the schema registry did not answer within half a minute.
        """
        until = asyncio.get_running_loop().time() + _PATIENCE
        attempt = 0
        while True:
            try:
                return await read_event(self.scribe.types, self.store, record)
            except SchemaUnavailable:
                if asyncio.get_running_loop().time() > until:
                    raise
                await asyncio.sleep(_WAITS[min(attempt, len(_WAITS) - 1)])
                attempt += 1

    def failure(self, record: Stored) -> Mapping[str, Any]:
        """What a failure record says: ``error``, ``message``, ``traceback``, ``fingerprint``."""
        return failure_of(self.scribe.types, record)

    async def close(self) -> None:
        """Let go of the log."""
        await self.follower.close()
        await self.live.close()
        if self._owns_store:
            await self.store.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
