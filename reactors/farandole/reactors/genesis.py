"""Opening the log of a choreography: its genesis, and its schemas in the catalogue."""

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from typing import Final

from farandole.eventstore import AppendUnknown, EventStore, NotAppended, Record, StoreUnavailable
from farandole.projections.fold import KNOWN_VERSION
from farandole.projections.grown import refuse_grown
from farandole.schemas import UndecodableValue, UnreadableHeaders, system_records
from farandole.schemas.envelope import Kind, unpack

from .scribe import Scribe

_PATIENCE: Final = 30.0
_RETRY: Final = 0.5


async def establish(
    store: EventStore, scribe: Scribe, settings: Mapping[str, int] | None = None, *, log_id: str | None = None
) -> bool:
    """Write a genesis record to each partition that holds nothing yet.

    Several processes may do so at once: the first genesis of a partition counts, the others are refused.

    Args:
        settings: admission settings that differ from the defaults, by name (`farandole.projections.fold.Settings`).
        log_id: 1 to 64 bytes that no other log has; random by default.

    Returns:
        Whether the log held nothing at all before.

    Raises:
        StoreMisconfigured: the log has more partitions than it was made with.
        AppendError: it could not be written within half a minute.
        StoreUnavailable: the log cannot be reached.
    """
    ends = await store.ends(range(store.partitions))
    empty = [partition for partition, end in ends.items() if end.next == 0]
    if not empty:
        return False
    for partition in ends.keys() - empty:
        refuse_grown(await _made_of(store, partition, ends[partition].first), store.partitions)
    log_id = log_id or secrets.token_hex(16)
    for partition in empty:
        # A record of its own for each, for no two records of a log have one id.
        await _append(store, partition, genesis_of(store.partitions, scribe, settings, log_id=log_id))
    return len(empty) == len(ends)


async def _made_of(store: EventStore, partition: int, first: int) -> int | None:
    """How many partitions the log was made with, if a partition begins with its genesis."""
    (record,) = await store.fetch(partition, (first,))
    try:
        if unpack(record.headers).kind == Kind.GENESIS:
            made_of: int = system_records.GENESIS.decode(record.value)["partitions"]
            return made_of
    except (UnreadableHeaders, UndecodableValue):
        pass
    return None


def genesis_of(
    partitions: int, scribe: Scribe, settings: Mapping[str, int] | None = None, *, log_id: str | None = None
) -> list[Record]:
    """The record that gives a partition its identity and settings."""
    content = {
        "log_id": log_id or secrets.token_hex(16),
        "partitions": partitions,
        "fold_version": KNOWN_VERSION,
        "settings": dict(settings or {}),
    }
    return scribe.control(Kind.GENESIS, [content])


async def _append(store: EventStore, partition: int, records: Sequence[Record]) -> None:
    until = asyncio.get_running_loop().time() + _PATIENCE
    while True:
        try:
            await store.append(partition, records)
        except (NotAppended, AppendUnknown, StoreUnavailable):
            if asyncio.get_running_loop().time() > until:
                raise
            await asyncio.sleep(_RETRY)
        else:
            return
