"""What steps say is heard once and in order, by those too who join while others listen already."""

import asyncio
from itertools import count
from types import SimpleNamespace
from typing import cast

import pytest

from farandole.eventstore import EventStore, Record, StoreClosed, Stored, connect
from farandole.projections.fold import Run, RunState
from farandole.reactors.live import looking
from farandole.reactors.live.feed import Listener, LiveFeed
from farandole.reactors.view import View

_numbers = count(1)


async def say(store: EventStore, *words: bytes) -> None:
    await store.live.append(0, [Record(b"r", word, ()) for word in words])


async def heard(listener: Listener, last: bytes) -> list[bytes]:
    """The words that were heard, up to the last one."""
    found: list[bytes] = []
    async with asyncio.timeout(60):
        while last not in found:
            await listener.news()
            found += [record.value or b"" for record in listener.ready()]
    return found


async def test_one_who_joins_hears_nothing_before_it_is_known_where_they_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    async with await connect(f"memory://hearing{next(_numbers)}", "hearing", partitions=1) as store:
        feed = LiveFeed(store)
        ask, known = store.live.since, asyncio.Event()
        async with feed.listening(b"r", 0) as first:
            await say(store, b"one", b"two")
            assert await heard(first, b"two") == [b"one", b"two"]

            async def slowly(partition: int, time: int) -> int:
                await known.wait()
                return await ask(partition, time)

            monkeypatch.setattr(store.live, "since", slowly)
            async with feed.listening(b"r", 0) as second:
                await say(store, b"three")
                assert await heard(first, b"three") == [b"three"]
                known.set()
                assert await heard(second, b"three") == [b"one", b"two", b"three"]
                await say(store, b"four")
                assert await heard(second, b"four") == [b"four"]
                assert await heard(first, b"four") == [b"four"]


async def test_that_nothing_comes_any_more_is_told_after_what_came() -> None:
    listener = Listener(b"r", 0, 0)
    listener.next = 0
    listener.hear(Stored(0, 0, 1, b"r", b"last", ()))
    listener.end(StoreClosed("it is closed"))
    await listener.news()
    assert [record.value for record in listener.ready()] == [b"last"]
    with pytest.raises(StoreClosed):
        await asyncio.wait_for(listener.news(), 20)


async def test_one_who_was_shown_a_piece_when_the_run_was_closed_waits_for_nothing_more() -> None:
    """By a reactor that was retired, say: that is no record of the run, and none of its entries."""
    view = View(b"r", 0)
    view.run = cast(Run, SimpleNamespace(state=RunState.CLOSED))
    async with asyncio.timeout(30):
        await looking._news(view, 0, Listener(b"r", 0, 0))
    assert view.waiters == []
