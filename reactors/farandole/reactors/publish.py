"""What a worker writes into the partitions that it owns on behalf of its code: its contracts, and a missing genesis."""

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence
from typing import Final

from farandole.eventstore import EventStore, Record, StoreClosed, StoreError
from farandole.projections.fold import Applied, Contract, Verdict
from farandole.schemas import DeclarationError
from farandole.schemas.envelope import Kind, unpack

from .claims import Claims
from .genesis import genesis_of
from .partition import Serving, served_elsewhere
from .scribe import Scribe

log = logging.getLogger("farandole.worker")

_RETRY: Final = 1.0


class Publisher:
    """Publishes the contracts of one worker.

    Args:
        take_over: bring them into force even over those of another service or a newer release.
        random: between 0 and 1.

    Attributes:
        cleared: whether nobody else serves the reactors of this process; until then it neither writes nor works.
    """

    def __init__(
        self, store: EventStore, scribe: Scribe, service: str, random: Callable[[], float], *, take_over: bool
    ) -> None:
        self._store = store
        self._scribe = scribe
        self._service = service
        self._take_over = take_over
        self._strangers: set[bytes] = set()
        self._claims = Claims(store, service, scribe.new_name, random)
        self.cleared = False
        self.tasks: set[asyncio.Task[None]] = set()
        """Appends under way."""

    async def clear(self, held: Collection[Serving]) -> None:
        """Make sure that nobody else serves these reactors, in any partition held or by what the catalogue says.

        Raises:
            ServedElsewhere: somebody does; nothing was written.
            StoreError: the catalogue cannot be written, and will not be soon.
        """
        wanted: set[str] = set()
        for serving in held:
            wanted |= {str(contract["reactor"]) for contract in serving.to_publish(self._take_over)}
            wanted |= {c.reactor.decode() for c in serving.fold.contracts if self._ours(serving, c)}
        others = await self._claims.claim(wanted, take_over=self._take_over)
        if others:
            raise served_elsewhere(*min(others.items()), self._service)
        self.cleared = True

    def _ours(self, serving: Serving, contract: Contract) -> bool:
        return contract.active and contract.service == self._service and serving.declares(contract.reactor)

    def publish(self, serving: Serving) -> None:
        """Write what a restored partition lacks, unless it is on its way.

        Raises:
            DeclarationError: another service serves one of these reactors.
        """
        if serving.fold.log_id is None and not serving.founded:
            # A client that is not ours wrote to the topic before anybody gave the log its genesis.
            serving.founded = True
            self._append_soon(serving.fold.partition, genesis_of(self._store.partitions, self._scribe))
        self._warn_of_strangers(serving)
        if serving.published is None:
            wanted = serving.to_publish(self._take_over)
            if wanted:
                records = self._scribe.control(Kind.CONTRACT, wanted)
                serving.published = unpack(records[0].headers).append
                serving.publishing = records
                self._append_soon(serving.fold.partition, records)

    def answered(self, serving: Serving, out: Applied) -> bool:
        """Whether a record that was folded is the log's verdict on what was published there.

        Raises:
            DeclarationError: the log refuses it as unreadable.
        """
        e = out.envelope
        if e is None or e.kind != Kind.CONTRACT or e.append != serving.published:
            return False
        if out.verdict is Verdict.HELD:
            if e.index == e.count - 1:
                # The first ones were pushed out by other appends that are not whole.
                self._append_soon(serving.fold.partition, serving.publishing)
            return False
        if out.verdict is Verdict.UNREADABLE:
            raise DeclarationError(
                f"the log refuses the contracts of service '{self._service}' as unreadable: give its reactors and "
                "events names of at most 255 bytes"
            )
        serving.published, serving.publishing = None, ()
        return True

    def _warn_of_strangers(self, serving: Serving) -> None:
        """Every process of a service must have the same reactors, for each owns a share of the partitions."""
        for contract in serving.fold.contracts:
            name = contract.reactor
            ours = contract.active and contract.service == self._service
            if ours and not serving.declares(name) and name not in self._strangers:
                self._strangers.add(name)
                log.warning(
                    "service '%s' serves reactor '%s', which this process has no code for: what it owes in the "
                    "partitions of this process waits. If that is another program, give it a service= of its own; if "
                    "the reactor is gone, retire it: farandole retire",
                    self._service,
                    name.decode(),
                    extra={"reactor": name.decode(), "partition": serving.fold.partition},
                )

    def _append_soon(self, partition: int, records: Sequence[Record]) -> None:
        task = asyncio.create_task(self._append(partition, records))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _append(self, partition: int, records: Sequence[Record]) -> None:
        while True:
            try:
                await self._store.append(partition, records)
            except StoreClosed:
                return
            except StoreError as e:
                log.warning(
                    "control records cannot be appended to partition %d, trying again: %s", partition, e,
                    extra={"partition": partition},
                )  # fmt: skip
                await asyncio.sleep(_RETRY)
            else:
                return
