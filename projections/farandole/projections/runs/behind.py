"""How far the projections that apps declare are behind a log."""

import asyncio
from collections.abc import Sequence

from farandole.eventstore import EventStore, StoreError

from .query import ProjectionRow, Runs


async def projections_behind(
    runs: Runs, store: EventStore | None, *, patience: float
) -> Sequence[tuple[ProjectionRow, int | None]]:
    """The projections that apps declare, each with how many records of this choreography it has not taken; None: the log
    does not say how many there are.

    Args:
        store: the log; None: it is not asked.
        patience: seconds that it has to say where it ends.

    Raises:
        DatabaseError: the tables cannot be asked.
    """
    return await each_behind((await runs.projections()).found, runs.choreography, store, patience=patience)


async def each_behind(
    found: Sequence[ProjectionRow], choreography: str, store: EventStore | None, *, patience: float
) -> Sequence[tuple[ProjectionRow, int | None]]:
    """The same of projections that were found."""
    if not found or store is None:
        return [(each, None) for each in found]
    try:
        async with asyncio.timeout(patience):
            ends = {p: end.next for p, end in (await store.ends(range(store.partitions))).items()}
    except (StoreError, TimeoutError):
        return [(each, None) for each in found]
    return [(each, each.behind(choreography, ends)) for each in found]
