"""Other choreographies on the same server: their logs, to tell them something, and their schemas."""

import logging
from collections.abc import Awaitable, Callable
from typing import Final

from farandole.eventstore import AppendError, EventStore, StoreError, StoreMisconfigured
from farandole.schemas import Event, EventTypes, register
from farandole.schemas.catalogue import PREFIX, read_entry

log = logging.getLogger("farandole.keeper")

Opener = Callable[[str], Awaitable[EventStore]]
"""Opens the log of a choreography that is there already."""

_IN_MEMORY: Final = "memory://"


class Abroad:
    """What one worker knows of other choreographies. Each log is opened once, when something is to be told there.

    Args:
        home: the log of this choreography.
        name: this choreography.
        open: opens other logs; None: there are none.
    """

    def __init__(self, home: EventStore, name: str, open: Opener | None = None) -> None:
        self._home = home
        self._name = name
        self._open = open
        self._stores: dict[str, EventStore] = {}
        self._carried: set[tuple[str, bytes, str]] = set()
        self._acquainted: set[tuple[str, type[Event]]] = set()

    def is_home(self, choreography: str) -> bool:
        """Whether a choreography is this one."""
        return choreography in ("", self._name)

    async def store(self, choreography: str) -> EventStore:
        """The log of a choreography.

        Raises:
            StoreMisconfigured: there is none of this name, or none can be reached from here.
            StoreUnavailable: it cannot be reached now.
        """
        if self.is_home(choreography):
            return self._home
        store = self._stores.get(choreography)
        if store is None:
            if self._open is None or self._home.url == _IN_MEMORY:
                raise StoreMisconfigured(
                    f"choreography '{choreography}' cannot be reached from {self._home.url}: a log in memory shares its "
                    "server with others only if it has a name, as memory://shop"
                )
            opened = await self._open(choreography)
            store = self._stores.setdefault(choreography, opened)
            if store is not opened:
                await opened.close()
        return store

    async def acquaint(self, types: EventTypes, event: type[Event]) -> None:
        """Bring the schema of another choreography's event into its catalogue, if it can be reached, and into ours.

        Raises:
            IncompatibleSchema: it and earlier schemas of the event cannot be read by each other.
            StoreError: our own catalogue cannot be read or written.
        """
        if (types.prefix, event) in self._acquainted:
            return
        alone = EventTypes(types.prefix, [event], types.codec)
        await register(self._home.catalogue, alone)
        try:
            there = await self.store(types.prefix)
            await register(there.catalogue, alone)
        except (StoreError, AppendError) as e:
            # It is carried there together with the first event.
            log.info("choreography '%s' cannot be told of its events yet: %s", types.prefix, e)
            return
        self._acquainted.add((types.prefix, event))

    async def carry(self, name: str, schema: bytes, choreography: str) -> None:
        """Bring a schema of our catalogue into another one, before a value that was written with it comes there.

        Args:
            name: of the event, on the wire.
            schema: its fingerprint.

        Raises:
            AppendError, StoreError: it could not be brought there.
        """
        if self.is_home(choreography) or (name, schema, choreography) in self._carried:
            return
        prefix = PREFIX + f"{name}/".encode()
        ours = [read_entry(key, value) for key, value in (await self._home.catalogue.scan(prefix)).items()]
        there = (await self.store(choreography)).catalogue
        theirs = [read_entry(key, value) for key, value in (await there.scan(prefix)).items()]
        if all(entry.reads or entry.fingerprint != schema for entry in theirs):
            order = max((entry.order for entry in theirs), default=0) + 1
            for entry in [entry for entry in ours if entry.fingerprint == schema and not entry.reads][:1]:
                await there.put(entry.key, entry._replace(order=order).value())
        self._carried.add((name, schema, choreography))

    async def close(self) -> None:
        """Let go of all logs but ours."""
        for store in self._stores.values():
            await store.close()
        self._stores.clear()
