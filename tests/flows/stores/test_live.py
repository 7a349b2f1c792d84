"""What steps say while they are at work, on every store."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.reactors.working.controls import Stage

from farandole.eventstore import Live as LiveStore
from farandole.eventstore import Reader, Record, StoreError, StoreUnavailable
from farandole.reactors import Choreography, Live, Recorded, Retry, RunHandle, Step
from farandole.reactors.scribe import Scribe
from farandole.schemas import EncodingError, End, Event, Start
from farandole.schemas.envelope import Kind


class Asked(Start):
    words: list[str]


class Said(Event):
    text: str


class Done(End):
    text: str


class Speech:
    """A choreography whose first step says words, and holds before a certain one until it is let go."""

    def __init__(self, hold_before: int | None = None, fails: int = 0) -> None:
        self.choreography = Choreography(f"speech_{secrets.token_hex(4)}")
        self.go, self.held, self.heard = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.fails = fails

        @self.choreography.reactor(retry=Retry(attempts=5, first="10ms"))
        async def speak(asked: Asked, step: Step) -> Said:
            for n, word in enumerate(asked.words):
                if n == hold_before and not self.go.is_set():
                    if self.fails >= step.attempt:
                        await self.heard.wait()
                        raise ConnectionError("the line broke")
                    self.held.set()
                    await self.go.wait()
                step.live(word)
                await asyncio.sleep(0)
            return Said(text="".join(asked.words))

        @self.choreography.reactor
        async def end(said: Said) -> Done:
            return Done(text=said.text)


class Seen:
    """What one viewer has before them: as a front end would put it together."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.text = ""
        self.pieces: list[Live] = []
        self.news = asyncio.Event()

    def take(self, each: Recorded | Live) -> None:
        if isinstance(each, Recorded):
            self.events.append(type(each.event).__name__)
            if isinstance(each.event, Said):
                self.text = each.event.text
        else:
            self.pieces.append(each)
            self.text = each.text if each.anew else self.text + each.text
        self.news.set()

    async def until(self, wanted: Callable[["Seen"], bool]) -> None:
        async with asyncio.timeout(30):
            while not wanted(self):
                self.news.clear()
                await self.news.wait()


@asynccontextmanager
async def viewer(run: RunHandle) -> AsyncIterator[Seen]:
    seen = Seen()

    async def look() -> None:
        async for each in run.live():
            seen.take(each)

    looking = asyncio.create_task(look())
    try:
        yield seen
        if not looking.cancelled() and looking.done():
            looking.result()
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)


async def test_one_who_looks_on_and_one_who_comes_late_see_the_same(stage: Stage) -> None:
    speech = Speech(hold_before=2)
    await stage.worker(speech.choreography)
    client, elsewhere = await stage.client(speech.choreography), await stage.client(speech.choreography)
    run = await client.start(Asked(words=["It ", "will ", "rain."]))
    async with viewer(run) as early:
        await early.until(lambda seen: seen.text == "It will ")
        async with viewer(elsewhere.run(run.id)) as late:
            await late.until(lambda seen: seen.text == "It will ")
            assert late.events == ["Asked"]
            speech.go.set()
            for seen in (early, late):
                await seen.until(lambda seen: "Done" in seen.events)
                assert seen.events == ["Asked", "Said", "Done"]
                assert seen.text == "It will rain."
                assert [piece.reactor for piece in seen.pieces] == ["speak"] * len(seen.pieces)
                assert [piece.anew for piece in seen.pieces] == [True] + [False] * (len(seen.pieces) - 1)
                assert not any(piece.lost for piece in seen.pieces)
    async with viewer(run) as afterwards:
        await afterwards.until(lambda seen: "Done" in seen.events)
        assert (afterwards.text, afterwards.pieces) == ("It will rain.", [])


async def test_an_attempt_after_one_that_failed_begins_anew(stage: Stage) -> None:
    speech = Speech(hold_before=1, fails=1)
    await stage.worker(speech.choreography)
    run = await (await stage.client(speech.choreography)).start(Asked(words=["Once ", "only."]))
    async with viewer(run) as seen:
        await seen.until(lambda seen: seen.text == "Once ")
        speech.heard.set()
        await seen.until(lambda seen: any(piece.attempt == 2 for piece in seen.pieces))
        assert seen.text == "Once "
        assert [(piece.attempt, piece.anew) for piece in seen.pieces] == [(1, True), (2, True)]
        speech.go.set()
        await seen.until(lambda seen: "Done" in seen.events)
        assert seen.text == "Once only."


async def test_what_another_worker_says_takes_the_place_of_what_a_killed_one_said(stage: Stage) -> None:
    speech = Speech(hold_before=1)
    worker = await stage.worker(speech.choreography)
    client = await stage.client(speech.choreography)
    run = await client.start(Asked(words=["Once ", "only."]))
    async with viewer(run) as seen:
        await seen.until(lambda seen: seen.text == "Once ")
        await worker.kill()
        await stage.worker(speech.choreography)
        await seen.until(lambda seen: sum(piece.anew for piece in seen.pieces) == 2)
        assert seen.text == "Once "
        async with viewer(run) as late:
            await late.until(lambda seen: seen.text == "Once " and seen.pieces[-1].take == late.pieces[-1].take)
        speech.go.set()
        await seen.until(lambda seen: "Done" in seen.events)
        assert seen.text == "Once only."


async def test_nothing_of_it_is_in_the_log(stage: Stage) -> None:
    speech = Speech(hold_before=1)
    await stage.worker(speech.choreography)
    client = await stage.client(speech.choreography)
    run = await client.start(Asked(words=["a" * 500, "b"]))
    async with viewer(run) as seen:
        await seen.until(lambda seen: len(seen.text) == 500)
        speech.go.set()
        await seen.until(lambda seen: "Done" in seen.events)
    history = await run.history()
    assert "PROGRESS" not in [entry.verdict.name for entry in history]
    assert [entry.envelope.kind for entry in history if entry.envelope.kind == 14] == []


class Away(LiveStore):
    """A live topic that nobody can reach."""

    def __init__(self) -> None:
        self.asked = 0

    async def append(self, partition: int, records: Sequence[Record]) -> None:
        self.asked += 1
        raise StoreUnavailable("nobody answers")

    async def since(self, partition: int, time: int) -> int:
        raise StoreUnavailable("nobody answers")

    def reader(self) -> Reader:
        raise StoreUnavailable("nobody answers")


async def test_a_step_neither_waits_nor_fails_where_nothing_can_be_said(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = Away()
    client_of = Speech()
    client = await stage.client(client_of.choreography)
    monkeypatch.setattr(type(client.store), "live", property(lambda store: away))
    await stage.worker(client_of.choreography)
    # Far more than may wait: it must be dropped and not held.
    run = await client.start(Asked(words=["x" * 1_000] * 500))
    async with viewer(run) as seen:
        await seen.until(lambda seen: "Done" in seen.events)
        assert seen.pieces == []
    assert (await run.result(Done)).text == "x" * 500_000


class Sick(LiveStore):
    """A live topic of which one partition takes nothing."""

    def __init__(self, well: LiveStore, sick: int) -> None:
        self.well, self.sick = well, sick
        self.refused = asyncio.Event()

    async def append(self, partition: int, records: Sequence[Record]) -> None:
        if partition == self.sick:
            self.refused.set()
            raise StoreUnavailable("no leader")
        await self.well.append(partition, records)

    async def since(self, partition: int, time: int) -> int:
        return await self.well.since(partition, time)

    def reader(self) -> Reader:
        return self.well.reader()


async def test_a_partition_that_takes_nothing_silences_no_other(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    speech = Speech(hold_before=2)
    client = await stage.client(speech.choreography)
    names = {client.store.partition_of(name.encode()): name for name in map(str, range(100))}
    (sick, other), (_, one) = list(names.items())[:2]
    live = Sick(client.store.live, sick)
    monkeypatch.setattr(type(client.store), "live", property(lambda store: live))
    await stage.worker(speech.choreography)
    await client.start(Asked(words=["lost", "too", "."]), run_id=other)
    async with asyncio.timeout(30):
        await live.refused.wait()
    run = await client.start(Asked(words=["One ", "is heard", "."]), run_id=one)
    async with viewer(run) as seen:
        await seen.until(lambda seen: seen.text == "One is heard")
        speech.go.set()
        await seen.until(lambda seen: "Done" in seen.events)


async def test_what_cannot_be_written_is_told_once(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    speech = Speech(hold_before=1)
    client = await stage.client(speech.choreography)
    tried, of_step = list[int](), Scribe.of_step

    def fails(self: Scribe, kind: Kind, *args: Any, **options: Any) -> Record:
        if kind is not Kind.PROGRESS:
            return of_step(self, kind, *args, **options)
        tried.append(1)
        raise EncodingError("the key service is away")

    monkeypatch.setattr(Scribe, "of_step", fails)
    await stage.worker(speech.choreography)
    runs = [await client.start(Asked(words=["One", "."])) for _ in range(5)]
    async with asyncio.timeout(30):
        while len(tried) < 3:
            await asyncio.sleep(0.02)
    speech.go.set()
    for run in runs:
        await run.result(Done)
    assert caplog.text.count("what it says live is not sent") == 1


class Broken(LiveStore):
    """A live topic of a driver with a fault."""

    async def append(self, partition: int, records: Sequence[Record]) -> None: ...

    async def since(self, partition: int, time: int) -> int:
        raise ZeroDivisionError

    def reader(self) -> Reader:
        raise ZeroDivisionError


async def test_a_fault_while_listening_leaves_nobody_waiting(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    speech = Speech(hold_before=1)
    client = await stage.client(speech.choreography)
    monkeypatch.setattr(type(client.store), "live", property(lambda store: Broken()))
    await stage.worker(speech.choreography)
    run = await client.start(Asked(words=["One", "."]))
    async with asyncio.timeout(30):
        with pytest.raises(StoreError, match="what is said live cannot be heard any more: ZeroDivisionError"):
            async for _ in run.live():
                pass
    speech.go.set()
    await run.result(Done)


async def test_a_plain_function_says_it_from_its_thread(stage: Stage) -> None:
    choreography = Choreography(f"speech_{secrets.token_hex(4)}")
    loop, said, go = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event()

    @choreography.reactor
    def speak(asked: Asked, step: Step) -> Done:
        for word in asked.words:
            step.live(word)
        asyncio.run_coroutine_threadsafe(go.wait(), loop).result(30)
        return Done(text="".join(asked.words))

    await stage.worker(choreography)
    run = await (await stage.client(choreography)).start(Asked(words=["From ", "a ", "thread."]))
    async with viewer(run) as seen:
        await seen.until(lambda seen: seen.text == "From a thread.")
        said.set()
        go.set()
        await seen.until(lambda seen: "Done" in seen.events)
