"""Following the logs of a projection, and writing its rows: each batch once, with the places up to which it is true.

What is known here can be lost at any moment: whoever begins does so with what the tables say.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from farandole.eventstore import Ends, Stored
from farandole.projections.checkpoints import Checkpoints
from farandole.projections.fold import Fold
from farandole.projections.runs.starting import Start, place_of
from farandole.projections.sql import Database, DatabaseMisconfigured, DatabaseUnavailable, Place

from .feed import Feed, Item
from .following import follow, from_archive
from .handling import Raised
from .logs import Archive, Log, ends_of
from .space import ProjectionTables
from .writing import Pending, Step, write, write_carefully

log = logging.getLogger("farandole.projector")

_RETRY: Final = 0.25
_SLOWEST: Final = 30.0
_LOOK: Final = 0.5


@dataclass(frozen=True, slots=True)
class Pace:
    """How it is gone about.

    Attributes:
        most: events that are written together at most.
        records: records after which is written, though there may be no events among them.
        wait: seconds for which a read waits for news.
        patience: seconds after which one that stands by takes over from one that writes nothing.
    """

    most: int = 5_000
    records: int = 20_000
    wait: float = 0.5
    patience: float = 10.0


PACE: Final = Pace()


@dataclass(frozen=True, slots=True)
class Watch:
    """Whoever is told how it goes.

    Attributes:
        wrote: a batch was written.
        trouble: the database takes nothing for now, and why.
        arrived: the tables have all that the logs had when it began, or began to stand by, whoever wrote it.
    """

    wrote: Callable[[], None] = lambda: None
    trouble: Callable[[str], None] = lambda why: None
    arrived: Callable[[], None] = lambda: None


UNWATCHED: Final = Watch()


class Filling:
    """Fills the tables of one projection.

    Args:
        call: has the database do something.
        archive: where records are that have left the log; None: nowhere.
        watch: is told how it goes.
    """

    def __init__(
        self,
        logs: Sequence[Log],
        tables: ProjectionTables,
        pace: Pace,
        call: Callable[[Callable[[], Any]], Awaitable[Any]],
        archive: Archive | None = None,
        watch: Watch = UNWATCHED,
    ) -> None:
        self.places: dict[str, Place] = {}
        """Up to where the tables are true, as far as is known here."""
        self._logs = logs
        self._tables = tables
        self._pace = pace
        self._call = call
        self._archive = archive
        self._watch = watch
        self._ahead: dict[str, Place] = {}
        """Up to where was folded."""
        self._known: dict[str, Place] = {}
        """Up to where the tables were true when it began."""
        self._feeds: Sequence[Feed] = ()
        self._ends: dict[str, int] = {}
        """Where the logs were when it began; empty once the tables are there."""
        self._pending = Pending()
        self._news, self._room = asyncio.Event(), asyncio.Event()
        self._ended = False

    async def run(self, to: Mapping[str, int] | None) -> None:
        """Fill them, up to these positions; None: for ever.

        Raises:
            Overtaken: another one does.
            ProjectionStopped: it goes no further.
            BeginningMissing, DatabaseError, StoreError: it cannot be done, or not now.
        """
        self._pending, self._ended = Pending(), False
        self._news.clear()
        self._room.set()
        self._feeds, archived = await self._begin()
        reading = asyncio.ensure_future(self._read(self._feeds, archived, to))
        writing = asyncio.ensure_future(self._write_on())
        try:
            await asyncio.wait((reading, writing), return_when=asyncio.FIRST_COMPLETED)
            if reading.done():
                reading.result()
            self._ended = True
            self._news.set()
            await writing
        finally:
            reading.cancel()
            writing.cancel()
            await asyncio.gather(reading, writing, return_exceptions=True)

    def has_come_to(self, ends: Mapping[str, int]) -> bool:
        """Whether the tables have all that came before these positions."""
        read = {feed.log.part(p): at for feed in self._feeds for p, at in feed.positions.items()}
        return bool(self.places) and all(
            place.position >= ends.get(part, 0)
            or (read.get(part, 0) >= ends[part] and place == self._ahead.get(part))
            for part, place in self.places.items()
        )  # fmt: skip

    # ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _begin(self) -> tuple[list[Feed], list[tuple[Feed, int, Ends]]]:
        """Each log folded up to where the tables are; and partitions of which something comes from the archive."""
        parts = {log.part(p): (log.name, p) for log in self._logs for p in range(log.store.partitions)}
        self.places = await self._call(lambda: self._tables.begin(parts))
        self._known, self._ahead, self._ends = dict(self.places), dict(self.places), {}
        feeds: list[Feed] = []
        archived: list[tuple[Feed, int, Ends]] = []
        for each in self._logs:
            await each.refresh()
            here = {p: self.places[each.part(p)] for p in range(each.store.partitions)}
            ends = await each.store.ends(here)
            self._ends |= {each.part(p): end.next for p, end in ends.items()}
            gone = [p for p, place in here.items() if place.position < ends[p].first]
            there = {p: place for p, place in here.items() if p not in gone}
            start = Start(
                each.store, there, _Of(self._tables.database, there), Checkpoints(each.store), _at_once, self._pace.wait
            )
            folds = {p: fold for p, (fold, _, _) in (await start.begin()).items()} if there else {}
            feed = Feed(each, {**folds, **{p: Fold(p, each.store.partitions) for p in gone}})
            feeds.append(feed)
            archived += [(feed, p, ends[p]) for p in gone]
        return feeds, archived

    async def _read(
        self, feeds: Sequence[Feed], archived: Sequence[tuple[Feed, int, Ends]], to: Mapping[str, int] | None
    ) -> None:
        for feed, partition, end in archived:
            await from_archive(feed, partition, end, self._archive, self._take)
        await follow(feeds, self._take, to=to, wait=self._pace.wait, patient=to is None)

    def _take(self, feed: Feed, record: Stored, items: Sequence[Item]) -> Awaitable[Any] | None:
        part = feed.log.part(record.partition)
        after = place_of(feed.folds[record.partition])
        if record.offset < self._known[part].position:
            if after.position == self._known[part].position and after != self._known[part]:
                raise other_log(self._tables.database, feed.log.name, record.partition, after.position)
            return None
        pending = self._pending
        pending.before.setdefault(part, self._ahead[part])
        pending.after[part] = self._ahead[part] = after
        pending.records += 1
        if items:
            pending.steps.append(Step(part, feed.log.name, after, items))
            pending.events += len(items)
            self._news.set()
        if pending.events < self._pace.most and pending.records < self._pace.records:
            return None
        self._room.clear()
        self._news.set()
        return self._room.wait()

    # ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _write_on(self) -> None:
        while not self._ended or self._pending.before:
            try:
                async with asyncio.timeout(self._pace.wait):
                    await self._news.wait()
            except TimeoutError:
                pass  # where nothing of interest comes, the places go on now and then
            self._news.clear()
            if self._pending.before:
                pending, self._pending = self._pending, Pending()
                self._room.set()
                await self._write(pending)
            if self._ends and self.has_come_to(self._ends):
                self._ends = {}
                self._watch.arrived()

    async def _write(self, pending: Pending) -> None:
        delay = _RETRY
        work: Callable[[], None] = lambda: write(self._tables, pending)  # noqa: E731
        while True:
            try:
                await self._call(work)
                break
            except Raised as e:
                log.info("projection %s goes on event by event: %s", self._tables.name, e)
                work = lambda: write_carefully(self._tables, pending)  # noqa: E731
            except DatabaseUnavailable as e:
                self._watch.trouble(f"the database did not take what was to be written: {e}")
                await asyncio.sleep(delay)
                delay = min(delay * 2, _SLOWEST)
        self.places.update(pending.after)
        self._watch.wrote()

    # ── standing by ──────────────────────────────────────────────────────────────────────────────────────────────────

    async def stand_by(self) -> None:
        """Another one writes: wait until it is silent though the logs go on. Tables that were set back are our own."""
        loop = asyncio.get_running_loop()
        seen: dict[str, Place] = await self._call(self._tables.places)
        behind_since: float | None = None
        wanted = await ends_of(self._logs)
        if any(place.position < self.places[p].position for p, place in seen.items() if p in self.places):
            return
        while True:
            await asyncio.sleep(min(_LOOK, self._pace.patience / 4))
            places = self.places = await self._call(self._tables.places)
            behind = await self._behind(places)
            if not places:
                return  # they were put in the place of others
            if wanted and all(part in places and places[part].position >= at for part, at in wanted.items()):
                wanted = {}
                self._watch.arrived()
            if places != seen or not behind:
                seen, behind_since = places, None
            elif behind_since is None:
                behind_since = loop.time()
            elif loop.time() - behind_since >= self._pace.patience:
                log.warning("the other projector has written nothing for %g s; taking over", self._pace.patience)
                return

    async def _behind(self, places: Mapping[str, Place]) -> bool:
        for each in self._logs:
            ends = await each.store.ends(range(each.store.partitions))
            for p, end in ends.items():
                if (place := places.get(each.part(p))) is not None and place.position < end.next:
                    return True
        return False


class _Of:
    """What `Start` asks of tables, of one of several logs."""

    def __init__(self, database: Database, places: Mapping[int, Place]) -> None:
        self.database = database
        self._places = places

    def places(self) -> dict[int, Place]:
        return dict(self._places)

    def begin(self, begun: Mapping[int, Place], rows: object) -> dict[int, tuple[Place, int]]:
        return {p: (place, 0) for p, place in self._places.items()}


async def _at_once(work: Callable[[], Any]) -> Any:
    return work()


def other_log(database: Database, choreography: str, partition: int, position: int) -> DatabaseMisconfigured:
    return DatabaseMisconfigured(
        f"the tables in {database.url} do not follow from the log of '{choreography}': partition {partition} has other "
        f"records before offset {position}. If the log is the right one: farandole rebuild"
    )
