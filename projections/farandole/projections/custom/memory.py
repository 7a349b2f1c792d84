"""A projection that is an object, without any database: for a live page, a worker's process, a test."""

from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, Final

from farandole.eventstore import Stored
from farandole.projections.fold import Fold

from .errors import ProjectionStopped
from .feed import Feed, Item
from .following import follow, from_archive
from .handling import Raised, handle, stopped
from .logs import Archive, Log
from .projection import Projection

_WAIT: Final = 0.5


class MemoryProjector:
    """Gives one object all events there are, and those to come. Its handlers run on the event loop.

    Args:
        logs: see `farandole.projections.custom.logs.types_of`.
        archive: where records are that have left the log.
    """

    def __init__(
        self, projection: Projection, logs: Sequence[Log], *, archive: Archive | None = None, wait: float = _WAIT
    ) -> None:
        self.passed_over: list[ProjectionStopped] = []
        """What handlers raised, of a projection that says ``on_error = "skip"``."""
        self._projection = projection
        self._logs = logs
        self._archive = archive
        self._wait = wait
        self._feeds: list[Feed] = []

    async def run(self, to: Mapping[str, int] | None = None, *, patient: bool = True) -> None:
        """Go on, until cancelled or up to these positions.

        Args:
            patient: wait for a log that cannot be reached.

        Raises:
            ProjectionStopped: a handler has raised. The object may have taken the event by half: make a new one.
            BeginningMissing: records have left the log.
            StoreError: the log cannot be read.
        """
        if not self._feeds:
            await self._begin()
        await follow(self._feeds, self._take, to=to, wait=self._wait, patient=patient)

    def has_come_to(self, ends: Mapping[str, int]) -> bool:
        """Whether the object has all that came before these positions."""
        return bool(self._feeds) and all(
            at >= ends.get(feed.log.part(p), 0) for feed in self._feeds for p, at in feed.positions.items()
        )

    async def _begin(self) -> None:
        feeds: list[Feed] = []
        for log in self._logs:
            await log.refresh()
            ends = await log.store.ends(range(log.store.partitions))
            feed = Feed(log, {p: Fold(p, log.store.partitions) for p in ends})
            for p, end in ends.items():
                if end.first > 0:
                    await from_archive(feed, p, end, self._archive, self._take)
            feeds.append(feed)
        self._feeds = feeds

    def _take(self, feed: Feed, record: Stored, items: Sequence[Item]) -> Awaitable[Any] | None:
        if not items:
            return None
        together = type(self._projection).on_error == "stop"
        for some in (items,) if together else [[item] for item in items]:
            try:
                handle(self._projection, some)
            except Raised as e:
                why = stopped(type(self._projection), e.items[0], e.handler, e.error)
                if together:
                    raise why from e.error
                self.passed_over.append(why)
        return None
