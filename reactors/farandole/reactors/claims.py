"""Which service a reactor belongs to, as the catalogue says: so that two services cannot split one between them.

A contract comes into force in each partition by itself, and a process owns only some partitions. So before the first
contract of a reactor is written anywhere, its service is noted in the catalogue, where all processes of all services
look first. Nothing is owed or admitted because of it; the contracts alone say that.

Keys and values, in UTF-8:

    reactor/<name>    {"service": …}                            who serves it, from its first contract on
    claim/<random>    {"service": …, "at": …, "reactors": […]}  somebody is about to write the above

**Why no two can claim one reactor.** Each writes its claim first and looks for those of others afterwards, so that of
two at once at least one sees the other, and whoever sees another withdraws. If both do, both try again a little later.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from functools import partial
from typing import Final, TypeVar

from farandole.eventstore import AppendUnknown, EventStore, NotAppended, StoreUnavailable
from farandole.schemas.catalogue import retire_readers

T = TypeVar("T")

log = logging.getLogger("farandole.worker")

SERVED: Final = b"reactor/"
CLAIM: Final = b"claim/"
_LAPSES: Final = 60_000
"""Milliseconds after which a claim counts no more: its process died between two writes."""
_RETRY: Final = 1.0
_PAUSE: Final = 0.5


class Claims:
    """The claims of one process.

    Args:
        name: bytes that no other process has.
        random: between 0 and 1; who collides waits so much of half a second.
    """

    def __init__(self, store: EventStore, service: str, name: Callable[[], bytes], random: Callable[[], float]) -> None:
        self._store = store
        self._service = service
        self._name = name
        self._random = random

    async def claim(self, reactors: Collection[str], *, take_over: bool) -> Mapping[str, str]:
        """Note that this service serves these reactors.

        Args:
            take_over: even those that are another's.

        Returns:
            Those that are another service's, with its name. If there are any, nothing was noted.

        Raises:
            StoreError: the catalogue cannot be written, and will not be soon.
        """
        if take_over:
            lost = set(self._others(await self._load(), reactors).values())
            await self._note(reactors)
            await self._left(lost)
            return {}
        while True:
            found = await self._load()
            if others := self._others(found, reactors):
                return others
            missing = [name for name in reactors if SERVED + name.encode() not in found]
            if not missing or await self._tried(missing):
                return {}
            await asyncio.sleep(_PAUSE * self._random())

    async def _tried(self, missing: Collection[str]) -> bool:
        """Claim reactors that seem to be nobody's; False if somebody else was about to do so as well."""
        loop = asyncio.get_running_loop()
        began, key = loop.time(), CLAIM + self._name().hex().encode()
        claim = {"service": self._service, "at": await self._now(), "reactors": sorted(missing)}
        await self._put(key, claim)
        found = await self._load()
        late = loop.time() - began > _LAPSES / 2000
        alone = not late and not self._others(found, missing) and not await self._claimed(found, missing)
        if alone:
            await self._note(missing)
        await self._put(key, None)
        return alone

    def _others(self, found: Mapping[bytes, bytes], reactors: Collection[str]) -> dict[str, str]:
        served = {name: _read(found.get(SERVED + name.encode())).get("service") for name in reactors}
        return {name: str(service) for name, service in served.items() if service not in (None, self._service)}

    async def _claimed(self, found: Mapping[bytes, bytes], reactors: Collection[str]) -> bool:
        """Whether another service is claiming one of these at this moment."""
        now = await self._now()
        for claim in (_read(value) for key, value in found.items() if key.startswith(CLAIM)):
            named, at = claim.get("reactors"), claim.get("at")
            if claim.get("service") == self._service or not isinstance(named, list) or not isinstance(at, int):
                continue
            if at > now - _LAPSES and not set(reactors).isdisjoint(map(str, named)):
                return True
        return False

    async def _note(self, reactors: Collection[str]) -> None:
        for name in sorted(reactors):
            await self._put(SERVED + name.encode(), {"service": self._service})

    async def _left(self, services: Collection[str]) -> None:
        """Services without any reactor read nothing more, and never start again to say so."""
        serving = set(claimed(await self._load()).values())
        for service in sorted(set(services) - serving):
            await _patiently(partial(retire_readers, self._store.catalogue, service, lambda name: False))

    async def _load(self) -> Mapping[bytes, bytes]:
        return await _patiently(self._store.catalogue.load)

    async def _now(self) -> int:
        return await _patiently(self._store.now)

    async def _put(self, key: bytes, value: Mapping[str, object] | None) -> None:
        written = None if value is None else json.dumps(value, separators=(",", ":")).encode()
        await _patiently(lambda: self._store.catalogue.put(key, written))


async def disclaim(store: EventStore, reactor: str) -> None:
    """A reactor is nobody's any more.

    Raises:
        AppendError: as for `Table.put`.
    """
    await store.catalogue.put(SERVED + reactor.encode(), None)


def claimed(catalogue: Mapping[bytes, bytes]) -> dict[str, str]:
    """The service of each reactor that is in the catalogue."""
    served = {
        key.removeprefix(SERVED).decode(errors="replace"): _read(value).get("service")
        for key, value in catalogue.items()
        if key.startswith(SERVED)
    }
    return {name: service for name, service in served.items() if isinstance(service, str)}


def _read(value: bytes | None) -> Mapping[str, object]:
    """What is not as it should be counts as absent: it is a note, and contracts decide."""
    try:
        found = json.loads(value or b"{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


async def _patiently(attempt: Callable[[], Awaitable[T]]) -> T:
    while True:
        try:
            return await attempt()
        except (NotAppended, AppendUnknown, StoreUnavailable) as e:
            log.warning("the catalogue cannot be reached, trying again: %s", e)
            await asyncio.sleep(_RETRY)
