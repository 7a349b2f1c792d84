"""`tail`: records as they come, of all runs or of one."""

from collections import deque
from collections.abc import AsyncIterator
from typing import NamedTuple

from rich.text import Text

from farandole.eventstore import Stored
from farandole.projections.fold import Applied, RunState, Timer, Verdict
from farandole.reactors.client import Client
from farandole.reactors.follower import Follower

from .output import Output
from .running import Target, attached, existing
from .speaking import speaking
from .speech import Speech
from .steps import renews
from .times import clock
from .told import LogTeller, Told
from .words import author, gist, mark, title


class News(NamedTuple):
    """A record that was folded."""

    record: Stored
    verdict: Verdict
    admitted: tuple[int, ...]
    """Offsets of the events that entered the history with it."""
    closed: bool
    """Whether it closed its run."""


class Feed:
    """The records of a log from now on, and the last ones before; use as an async context manager.

    Args:
        run_id: only of this run.
        last: how many records of before are told as well; None: all of them.
    """

    def __init__(self, client: Client, *, run_id: str | None = None, last: int | None = 10) -> None:
        self._client = client
        self._key = None if run_id is None else run_id.encode()
        self._last = last
        store = client.store
        self._partitions = range(store.partitions) if self._key is None else [store.partition_of(self._key)]
        self._before: dict[int, deque[News]] | None = {}
        self._news: deque[News] = deque()
        self.follower = Follower(store)
        self.follower.listener = self._note

    async def __aenter__(self) -> "Feed":
        await self.follower.up_to_date(self._partitions)
        found = [news for part in (self._before or {}).values() for news in part]
        found.sort(key=lambda news: (news.record.time, news.record.partition, news.record.offset))
        self._before = None
        self._news.extendleft(reversed(found if self._last is None else found[max(len(found) - self._last, 0) :]))
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.follower.close()

    def ready(self) -> list[News]:
        """What can be told without waiting."""
        found = list(self._news)
        self._news.clear()
        return found

    async def __aiter__(self) -> AsyncIterator[News]:
        while True:
            while self._news:
                yield self._news.popleft()
            await self.follower.progress()

    def _note(self, record: Stored, out: Applied) -> None:
        if record.key is None or self._key not in (None, record.key) or out.verdict is Verdict.HELD:
            return
        closed = out.run is not None and out.run.state is RunState.CLOSED
        news = News(record, Verdict(out.verdict), offsets_of(out) or (record.offset,), closed)
        if self._before is None:
            self._news.append(news)
        else:
            self._before.setdefault(record.partition, deque(maxlen=self._last)).append(news)


def offsets_of(out: Applied) -> tuple[int, ...]:
    """Where all stands that came into effect with a record: events, timers and questions."""
    found = [fact.offset for fact in out.admitted]
    found += [each.offset for _, each in out.armed if isinstance(each, Timer)]
    found += [decision.offset for decision in (out.more.asked if out.more is not None else ())]
    return tuple(sorted(found))


async def tail(
    target: Target, run_id: str | None, out: Output, *, last: int | None, follow: bool, live: bool = False
) -> int:
    """Print records as they come: of one run until it is closed, of all for ever.

    Args:
        live: of one run, what its steps say while they are at work, too.
    """
    async with attached(target) as client:
        if run_id is not None:
            await existing(client, run_id)
        async with Feed(client, run_id=run_id, last=last) as feed:
            if not follow:
                await _so_far(client, feed, out)
                return 0
            speech = None
            if live and run_id is not None:
                speech = Speech(out)
            async with speaking(client, run_id, speech):
                await _print(client, feed, out, until_closed=run_id is not None, speech=speech)
    return 0


async def _so_far(client: Client, feed: Feed, out: Output) -> None:
    teller, lines = LogTeller(client), Lines(out)
    for news in feed.ready():
        for told in await tell(teller, news):
            lines.print(told)


async def _print(client: Client, feed: Feed, out: Output, *, until_closed: bool, speech: Speech | None = None) -> None:
    teller, lines = LogTeller(client), Lines(out)
    async for news in feed:
        for told in await tell(teller, news):
            if speech is not None:
                speech.pause()
            lines.print(told)
        if until_closed and news.closed:
            return


async def tell(teller: LogTeller, news: News) -> list[Told]:
    """The records that came into effect with one: itself, or all of an append that it made whole."""
    record = news.record
    if news.admitted == (record.offset,):
        return [await teller.tell(record, news.verdict)]
    return await teller.tell_at(record.partition, {*news.admitted, record.offset}, {record.offset: news.verdict})


class Lines:
    """Prints records, one a line: as wide as the terminal, and in full where there is none."""

    def __init__(self, out: Output) -> None:
        self._out = out
        self._most = 12 if out.console.width < 100 else 32
        self._run = 8
        self._held: dict[tuple[bytes, ...], bytes] = {}

    def print(self, told: Told) -> None:
        """Print one record."""
        if self._out.as_json:
            self._out.line(told.json())
            return
        if renews(told, self._held):
            return
        console = self._out.console
        self._run = max(self._run, min(len(told.run), self._most))
        line = Text.assemble((f"{clock(told.record.time)}  ", "dim"), _fit(told.run, self._run), "  ", mark(told), " ")
        line.append_text(story(told))
        if console.is_terminal:
            line.truncate(console.width, overflow="ellipsis")
        self._out.print(line, soft_wrap=True)


def story(told: Told) -> Text:
    """What a record is, who wrote it, and what it says."""
    words = title(told)
    by = author(told)
    if by and by not in words.plain:
        words.append(f"  {by}", style="dim")
    if said := gist(told):
        words.append(f"  {said}", style="dim")
    return words


def _fit(text: str, width: int) -> str:
    return f"{text:<{width}}" if len(text) <= width else f"{text[: width - 1]}…"
