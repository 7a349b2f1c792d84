"""Reading several logs at once, for whoever takes what was admitted."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Final

from farandole.eventstore import Ends, Stored, StoreUnavailable
from farandole.projections.checkpoints import Checkpoints
from farandole.projections.fold import Fold

from .errors import BeginningMissing
from .feed import Feed, Item
from .logs import Archive

log = logging.getLogger("farandole.projector")

Take = Callable[[Feed, Stored, Sequence[Item]], Awaitable[None] | None]
"""Told of each record that was folded, with the events that it brought."""

TURN: Final = 200
"""Records after which others get a turn."""
_RETRY: Final = 1.0


async def follow(
    feeds: Iterable[Feed], take: Take, *, to: Mapping[str, int] | None, wait: float, patient: bool
) -> None:
    """Read on, each log from where its folds are.

    Args:
        to: by part, the position up to which is read; None: for ever.
        wait: seconds for which a read waits for news.
        patient: wait for a log that cannot be reached.
    """
    tasks = [asyncio.ensure_future(_follow_one(feed, take, to, wait, patient)) for feed in feeds]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _follow_one(feed: Feed, take: Take, to: Mapping[str, int] | None, wait: float, patient: bool) -> None:
    ends = None if to is None else {p: to.get(feed.log.part(p), 0) for p in feed.folds}
    reader = feed.log.store.reader()
    try:
        reader.follow({p: fold.position for p, fold in feed.folds.items() if ends is None or fold.position < ends[p]})
        while ends is None or any(
            max(fold.position, reader.positions.get(p, 0)) < ends[p] for p, fold in feed.folds.items()
        ):
            try:
                batches = await reader.read(wait=wait)
            except StoreUnavailable as e:
                if not patient:
                    raise
                log.warning("the log of '%s' cannot be read, trying again: %s", feed.log.name, e)
                await asyncio.sleep(_RETRY)
                continue
            for records in batches:
                end = None if ends is None else ends[records[0].partition]
                await taken(feed, records, take, end, patient=patient)
            feed.positions.update(reader.positions)
    finally:
        await reader.close()


async def taken(feed: Feed, records: Iterable[Stored], take: Take, end: int | None, *, patient: bool = False) -> None:
    """Take some records of one partition, in their order.

    Args:
        end: the position before which it ends.
        patient: wait for values that cannot be had now.
    """
    for number, record in enumerate(records, 1):
        if record.offset < feed.folds[record.partition].position:
            continue
        if end is not None and record.offset >= end:
            return
        found = feed.apply(record)
        items: Sequence[Item] = ()
        while found is not None:
            try:
                items = await feed.items(record, *found)
                break
            except StoreUnavailable as e:
                if not patient:
                    raise
                log.warning("an event of '%s' cannot be read now, trying again: %s", feed.log.name, e)
                await asyncio.sleep(_RETRY)
        waits = take(feed, record, items)
        if waits is not None:
            await waits
        elif number % TURN == 0:
            await asyncio.sleep(0)


async def from_archive(feed: Feed, partition: int, end: Ends, archive: Archive | None, take: Take) -> None:
    """Read what has left the log, from its first record on. Afterwards the fold is where the log begins.

    Raises:
        BeginningMissing: there is no archive, or not all of it.
    """
    where = f"partition {partition} of '{feed.log.name}'"
    if archive is None:
        raise BeginningMissing(
            f"{where} begins at offset {end.first}, and a projection sees every event: what came before was archived. "
            "Say where that is: --archive DIRECTORY"
        )
    feed.folds[partition] = Fold(partition, feed.log.store.partitions)
    await taken(feed, archive(feed.log.name, partition), take, end.first)
    found = await Checkpoints(feed.log.store).restore({partition: end}, {partition: end.first})
    fold = found[partition].fold if partition in found else None
    if fold is None or (fold.position, fold.digest) != (end.first, feed.folds[partition].digest):
        raise BeginningMissing(f"the archive does not have all of {where} that came before offset {end.first}")
    feed.folds[partition] = fold
