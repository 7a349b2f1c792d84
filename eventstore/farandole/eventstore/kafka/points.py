"""Point reads: records whose offsets are known, for values that are needed again."""

from collections.abc import Sequence
from typing import Final

from farandole.eventstore.contract import Stored
from farandole.eventstore.errors import PositionLost

from .link import Link
from .records import unpack
from .tail import fetch_once

_ONE: Final = 32 * 1024
_MANY: Final = 1024 * 1024


async def fetch(link: Link, topic: str, partition: int, offsets: Sequence[int]) -> list[Stored]:
    """The records at these ascending offsets; neighbours come in one request. See `EventStore.fetch`."""
    found: list[Stored] = []
    wanted = list(offsets)
    while len(found) < len(wanted):
        rest = wanted[len(found) :]
        # The broker sends whole batches, so a small request is right for lone records and costs little more.
        near = sum(1 for each in rest if each - rest[0] < 2 * len(rest))
        size = min(_MANY, _ONE * near)
        chunk = await fetch_once(link, topic, partition, rest[0], size)
        if not chunk.data:
            ends = (await link.ends(topic, [partition]))[partition]
            raise PositionLost(
                f"{topic}/{partition} has the offsets {ends.first} to {ends.next}, and {rest[0]} was asked for: "
                "restore from a checkpoint or from the start"
            )
        records, following = unpack(topic, chunk)
        here = {record.offset: record for record in records}
        for offset in rest:
            if offset >= following:
                break
            if offset not in here:
                raise PositionLost(
                    f"{topic}/{partition} has no record at offset {offset}: a transactional producer or compaction "
                    "left a gap there, which Farandole does not support"
                )
            found.append(here[offset])
    return found
