"""A member of a group in SQLite: keeps its lease, takes and gives back its share."""

import asyncio
import logging
import os
import secrets
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final

from farandole.eventstore.errors import StoreClosed, StoreError
from farandole.eventstore.member import Member

from .lease import Group, Lease, PutOut, Watch

if TYPE_CHECKING:
    from .store import SqliteStore

_log = logging.getLogger("farandole.eventstore")
_GLANCE: Final = 0.1
"""Seconds between looks at the group, so that partitions change hands long before a lease is due."""


class SqliteMember(Member):
    """Joins at the beginning of its context and leaves at the end of it, or when its store is closed."""

    def __init__(self, store: "SqliteStore", log: int, service: str, name: str | None) -> None:
        super().__init__()
        self._store = store
        self._service = service
        self._name = name or f"{os.getpid()}-{secrets.token_hex(6)}"
        self._incarnation = ""
        self._group = Group(log, service, store.partitions)
        self._watch = Watch()
        self._keeping: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "SqliteMember":
        self._store.check_open()
        self.begin()
        self._incarnation = secrets.token_hex(8)
        self._store.joined.add(self)
        try:
            await self._renew(join=True)
        except BaseException:
            self._store.joined.discard(self)
            raise
        self._keeping = asyncio.get_running_loop().create_task(self._keep())
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.leave(StoreClosed(f"this member of {self._service} has left; join again to own partitions"))

    async def leave(self, why: StoreError) -> None:
        """Give everything back at once. If the file cannot be written, the lease lapses instead."""
        if self not in self._store.joined:
            return
        self._store.joined.discard(self)
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.wait([self._keeping])
        self.fail(why)
        with suppress(StoreError):
            await self._store.write(partial(self._group.leave, name=self._name, incarnation=self._incarnation))

    async def _keep(self) -> None:
        loop = asyncio.get_running_loop()
        session = self._store.settings.session
        renewed = loop.time()
        try:
            while True:
                await asyncio.sleep(min(_GLANCE, session / 6))
                try:
                    view = await self._store.look(self._group.view)
                    lapsed = self._watch.lapsed(view, self._store.clock.now(), loop.time())
                    due = loop.time() - renewed >= session / 3
                    if due or self._group.wants(view, self._name, lapsed):
                        await self._renew(lapsed)
                        renewed = loop.time()
                except StoreError:
                    if loop.time() - renewed > session:
                        self.share(frozenset())  # by now the others may have taken them
        except PutOut:
            self.fail(
                StoreError(
                    f"another process joined {self._service} as {self._name!r}, so this one is out. "
                    "Give each process a name of its own"
                )
            )
        except Exception as e:
            _log.exception("a member of %s broke down", self._service)
            self.fail(StoreError(f"this member of {self._service} broke down: {e!r}. Join again"))

    async def _renew(self, lapsed: frozenset[Lease] = frozenset(), *, join: bool = False) -> None:
        session = round(self._store.settings.session * 1000)
        lease = Lease(self._name, self._incarnation, self._store.clock.now() + session, session)
        # Leases that have lapsed by the time of joining are found here, so that nobody waits for them.
        lapsed |= self._watch.lapsed(
            await self._store.look(self._group.view), self._store.clock.now(), asyncio.get_running_loop().time()
        )
        lapsed = frozenset(other for other in lapsed if other.name != self._name)
        self.share(await self._store.transact(partial(self._group.renew, lease=lease, lapsed=lapsed, join=join)))
