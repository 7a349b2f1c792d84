"""The schemas of a process that opens its log, brought to the schema registry if there is one."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

from farandole.eventstore import EventStore, SchemaUnavailable
from farandole.schemas import SchemaText
from farandole.schemas.system_records import SYSTEM_RECORDS

log = logging.getLogger("farandole.registry")

PATIENCE: Final = 30.0
"""Seconds that a client waits for a registry."""
_FIRST_WAIT: Final = 0.2
_MOST_WAIT: Final = 5.0
_SYSTEM: Final = frozenset(record.fingerprint for record in SYSTEM_RECORDS)


async def introduce(store: EventStore, schemas: Sequence[SchemaText], *, patience: float | None = PATIENCE) -> None:
    """Bring schemas to the registry, and wait for it only where no work could be done without.

    System records are written by every process, so those have to have their numbers. Events that have none yet keep
    only the steps waiting that may emit them.

    Args:
        patience: seconds to wait; None: for ever.

    Raises:
        RegistryRefused: it refuses one.
        SchemaUnavailable: it cannot be reached, and was waited for long enough.
        StoreMisconfigured: its settings are wrong.
    """
    clock = asyncio.get_running_loop().time
    until = None if patience is None else clock() + patience
    wait = _FIRST_WAIT
    while True:
        try:
            await store.introduce(schemas)
        except SchemaUnavailable as e:
            if not store.lacks(_SYSTEM):
                log.warning("going on with the schemas that have numbers; what needs others waits: %s", e)
                return
            if until is not None and clock() > until:
                raise
            log.warning("no record can be written yet, trying again: %s", e)
            await asyncio.sleep(wait)
            wait = min(wait * 2, _MOST_WAIT)
        else:
            return
