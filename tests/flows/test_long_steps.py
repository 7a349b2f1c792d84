"""Steps that take long, as users write them, and as they test them."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel

from farandole.projections.fold import Verdict
from farandole.reactors import Choreography, Step
from farandole.schemas import End, Start
from farandole.schemas.envelope import Kind
from farandole.testing import Scenario


class Page(BaseModel):
    url: str
    words: int = 0


class ReportAsked(Start):
    pages: int = 3


class ReportWritten(End):
    words: int


class Web:
    """Gives pages, and fails when told to."""

    def __init__(self, fails: Callable[[int], bool] = lambda asked: False, takes: float = 0) -> None:
        self.asked: list[str] = []
        self.fails = fails
        self.takes = takes

    async def get(self, url: str) -> Page:
        self.asked.append(url)
        await asyncio.sleep(self.takes)
        if self.fails(len(self.asked)):
            raise ConnectionError(url)
        return Page(url=url, words=len(self.asked))


reports = Choreography("reports")


@reports.provide
def web() -> Web:
    return Web()


@reports.reactor
async def write_report(asked: ReportAsked, step: Step, web: Web) -> ReportWritten:
    words = 0
    for n in range(asked.pages):
        page = await step.once(f"page {n}", web.get, f"https://example.org/{n}")
        words += page.words
        step.progress((n + 1) / asked.pages, page.url)
    return ReportWritten(words=words)


async def test_what_is_done_is_not_done_again_when_the_step_is_tried_again() -> None:
    async with Scenario(reports) as s:
        s.replace(web, theirs := Web(lambda asked: asked == 3))
        await s.when(ReportAsked())
        assert [url[-1] for url in theirs.asked] == ["0", "1", "2"]
        await s.passes("1m")
        s.then(ReportWritten(words=1 + 2 + 4))
        assert [url[-1] for url in theirs.asked] == ["0", "1", "2", "2"]


async def test_a_thousand_sub_steps_are_recorded_and_one_more_fails_the_step() -> None:
    async with Scenario(reports) as s:
        await s.when(ReportAsked(pages=1000))
        s.then(ReportWritten(words=500_500))
    async with Scenario(reports) as s:
        await s.when(ReportAsked(pages=1001))
        (failure,) = s.failures()
        assert "finds no room" in failure.message


async def test_a_step_of_hours_is_claimed_all_the_while_and_done_once() -> None:
    async with Scenario(reports) as s:
        s.replace(web, theirs := Web(takes=3600))
        await s.when(ReportAsked(), after="2h")
        (owed,) = s.status.owed
        assert owed.claimed_until > s.now.timestamp() * 1000
        await s.passes("1h")
        s.then(ReportWritten(words=6))
        assert len(theirs.asked) == 3


def failing(fn: Any, name: str = "it", *args: object) -> Choreography:
    choreography = Choreography("failing")

    @choreography.reactor
    async def do(asked: ReportAsked, step: Step) -> ReportWritten:
        await step.once(name, fn, *args)
        return ReportWritten(words=0)

    return choreography


async def told(choreography: Choreography) -> str:
    async with Scenario(choreography) as s:
        await s.when(ReportAsked())
        (failure,) = s.failures()
        return failure.message


async def test_a_function_that_says_not_what_it_returns_is_refused() -> None:
    async def nothing_said():  # type: ignore[no-untyped-def]
        return 1

    message = await told(failing(nothing_said))
    assert "failing.do: step.once('it', ...): the function says not what it returns" in message


async def test_a_result_that_cannot_be_written_fails_the_step_for_good() -> None:
    async def give() -> object:
        return object()

    async def odd() -> asyncio.Event:
        return asyncio.Event()

    assert "returned what cannot be written as JSON" in await told(failing(give))
    assert "what the function returns cannot be written as JSON" in await told(failing(odd))


async def test_a_result_larger_than_the_log_takes_fails_the_step_for_good() -> None:
    async def much() -> str:
        return "x" * (2 << 20)

    assert "more than the log takes" in await told(failing(much))


@pytest.mark.parametrize("name", ["", "n" * 256, "é" * 128])
async def test_a_name_has_1_to_255_bytes(name: str) -> None:
    async def give() -> int:
        return 1

    assert "has 1 to 255 bytes" in await told(failing(give, name))


async def test_one_name_at_a_time() -> None:
    choreography = Choreography("twice")

    async def slow() -> int:
        await asyncio.sleep(1)
        return 1

    @choreography.reactor
    async def do(asked: ReportAsked, step: Step) -> ReportWritten:
        await asyncio.gather(step.once("a", slow), step.once("a", slow))
        return ReportWritten(words=0)

    assert "is under way already" in await told(choreography)


async def test_sub_steps_of_different_names_may_run_side_by_side() -> None:
    choreography = Choreography("beside")

    async def give(n: int) -> int:
        await asyncio.sleep(1)
        return n

    @choreography.reactor
    async def do(asked: ReportAsked, step: Step) -> ReportWritten:
        return ReportWritten(words=sum(await asyncio.gather(*(step.once(f"{n}", give, n) for n in range(5)))))

    async with Scenario(choreography) as s:
        await s.when(ReportAsked())
        s.then(ReportWritten(words=10))


async def test_progress_is_told_every_five_seconds_at_most() -> None:
    choreography = Choreography("telling")

    @choreography.reactor
    async def do(asked: ReportAsked, step: Step) -> ReportWritten:
        for n in range(100):
            step.progress(n / 100, f"{n} of 100")
            await asyncio.sleep(0.2)
        return ReportWritten(words=0)

    async with Scenario(choreography) as s:
        await s.when(ReportAsked())
        told = [line for line in s._stage.chronicle.lines if line.envelope.kind == Kind.PROGRESS]
        assert len(told) == 4
        assert {line.verdict for line in told} == {Verdict.ADMITTED}


async def test_a_short_step_tells_nothing() -> None:
    async with Scenario(reports) as s:
        await s.when(ReportAsked())
        s.then(ReportWritten)
        assert not [line for line in s._stage.chronicle.lines if line.envelope.kind == Kind.PROGRESS]
