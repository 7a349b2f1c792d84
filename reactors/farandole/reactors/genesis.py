"""Opening the log of a choreography: its genesis, and its schemas in the catalogue."""

import secrets
from collections.abc import Mapping

from farandole.eventstore import EventStore
from farandole.projections.fold import KNOWN_VERSION
from farandole.schemas.envelope import Kind

from .scribe import Scribe


async def establish(store: EventStore, scribe: Scribe, settings: Mapping[str, int] | None = None) -> None:
    """Write a genesis record to each partition that holds nothing yet.

    Several processes may do so at once: the first genesis of a partition counts, the others are refused.

    Args:
        settings: admission settings that differ from the defaults, by name (`farandole.projections.fold.Settings`).
    """
    ends = await store.ends(range(store.partitions))
    empty = [partition for partition, end in ends.items() if end.next == 0]
    if not empty:
        return
    content = {
        "log_id": secrets.token_hex(16),
        "partitions": store.partitions,
        "fold_version": KNOWN_VERSION,
        "settings": dict(settings or {}),
    }
    for partition in empty:
        await store.append(partition, scribe.control(Kind.GENESIS, [content]))
