"""The catalogue that every simulated log begins with: the schemas of all releases, registered once."""

import asyncio
from collections.abc import Mapping
from typing import Final

from farandole.eventstore import LoopClock
from farandole.eventstore.memory import MemoryStore
from farandole.eventstore.memory.log import MemoryLog
from farandole.schemas.catalogue import refresh, register

from . import events as e
from .dances import ALL
from .deployments import CLIENT_TYPES, repertoire


async def _register() -> Mapping[bytes, bytes]:
    log = MemoryLog(1)
    store = MemoryStore(log, "memory://", e.NAME, LoopClock())
    whole = repertoire(ALL)
    all_types = [v.types for versions in whole.releases.values() for v in versions]
    all_types += [v.types for v in whole.complete.values()]
    for types in (*all_types, CLIENT_TYPES):
        await register(store.catalogue, types)
    for types in (*all_types, CLIENT_TYPES):
        await refresh(store.catalogue, types)
    return dict(log.catalogue)


CATALOGUE: Final[Mapping[bytes, bytes]] = asyncio.run(_register())
