"""Fan-out, fan-in and joins in branches, as users write and test them."""

from collections.abc import Callable

from tests.typing.apps.a03_map_reduce import ReportAsked, ReportDone, report

from farandole.reactors import Choreography, Failed, GiveUp, Retry, Run, Step
from farandole.schemas import End, Event, Start
from farandole.testing import Scenario


class Asked(Start):
    pages: list[str]


class Configured(Event):
    language: str


class Page(Event):
    name: str


class Line(Event):
    page: str
    text: str


class Word(Event):
    text: str


class Counted(Event):
    words: list[str]


class Skipped(Event): ...


class Done(End):
    got: list[str]


class Printer:
    """What a step does with a page."""

    def __init__(self, does: Callable[[str], object] = lambda page: None) -> None:
        self.does = does

    def print(self, page: str) -> None:
        self.does(page)


def a_press(name: str = "press") -> Choreography:
    """Pages are cut into lines, lines into words; each is gathered again."""
    press = Choreography(name)

    @press.provide
    def printer() -> Printer:
        return Printer()

    @press.reactor
    async def pages(asked: Asked) -> list[Page]:
        return [Page(name=page) for page in asked.pages]

    @press.reactor
    async def words(page: Page) -> list[Word]:
        return [Word(text=word) for word in page.name.split()]

    @press.reactor(retry=Retry(attempts=1))
    async def upper(word: Word, printer: Printer) -> Line | Skipped:
        printer.print(word.text)
        return Skipped() if word.text == "-" else Line(page="", text=word.text.upper())

    @press.reactor(each=Word)
    async def count(lines: list[Line]) -> Counted:
        return Counted(words=[line.text for line in lines])

    @press.reactor(each=Page)
    async def bind(counted: list[Counted]) -> Done:
        return Done(got=[" ".join(c.words) for c in counted])

    return press


async def test_a_report_of_pages_is_put_together_in_their_order() -> None:
    async with Scenario(report) as s:
        await s.when(ReportAsked(urls=["b", "", "a"]))
        s.then(ReportDone(text="3: b\na", missing=[]))


async def test_a_fan_in_of_none_fires_at_once() -> None:
    async with Scenario(report) as s:
        await s.when(ReportAsked(urls=[]))
        s.then_only(ReportDone(text="0: ", missing=[]))


async def test_what_a_branch_did_not_give_in_time_is_a_failure() -> None:
    slow = Choreography("slow")

    @slow.reactor
    async def pages(asked: Asked) -> list[Page]:
        return [Page(name=page) for page in asked.pages]

    @slow.reactor(retry=Retry(attempts=9, first="10h", most="10h", jitter=False))
    async def read(page: Page) -> Word:
        if page.name == "slow":
            raise ConnectionError("not yet")
        return Word(text=page.name)

    @slow.reactor(within="1h")
    async def gather(words: list[Word | Failed[Page]]) -> Counted:
        return Counted(words=[w.text if isinstance(w, Word) else f"no {w.event.name}: {w.error}" for w in words])

    async with Scenario(slow) as s:
        await s.when(Asked(pages=["quick", "slow"]))
        s.then_not(Counted)
        await s.passes("59m")
        s.then_not(Counted)
        await s.passes("2m")
        s.then(Counted(words=["quick", "no slow: 1 of 2 branches gave nothing in time (within=)"]))


async def test_without_failures_being_taken_a_fan_in_that_is_late_fails_and_can_be_retried() -> None:
    slow = Choreography("slow")

    @slow.reactor
    async def pages(asked: Asked) -> list[Page]:
        return [Page(name=page) for page in asked.pages]

    @slow.reactor(retry=Retry(attempts=9, first="10h", most="10h", jitter=False))
    async def read(page: Page) -> Word:
        if page.name == "slow":
            raise ConnectionError("not yet")
        return Word(text=page.name)

    @slow.reactor(within="1h")
    async def gather(words: list[Word]) -> Counted:
        return Counted(words=[w.text for w in words])

    async with Scenario(slow) as s:
        await s.when(Asked(pages=["quick", "slow"]), after="61m")
        assert s.status.status == "failed"
        s.owes(read, gather)
        await s.retry()
        s.then(Counted(words=["quick"]))


async def test_enough_is_enough() -> None:
    press = Choreography("press")

    @press.reactor
    async def pages(asked: Asked) -> list[Page]:
        return [Page(name=page) for page in asked.pages]

    @press.reactor
    async def read(page: Page, step: Step) -> Word:
        return Word(text=page.name)

    @press.reactor(enough=2)
    async def gather(words: list[Word]) -> Done:
        return Done(got=sorted(w.text for w in words))

    async with Scenario(press) as s:
        await s.when(Asked(pages=["a", "b", "c", "d"]))
        (done,) = (event for event in s.history if isinstance(event, Done))
        assert len(done.got) == 2
        assert s.status.status == "completed"


async def test_fan_outs_nest() -> None:
    async with Scenario(a_press()) as s:
        await s.when(Asked(pages=["a b", "", "c - d"]))
        s.then(Done(got=["A B", "", "C D"]))


async def test_a_parked_step_holds_its_branch_until_it_is_retried() -> None:
    press = a_press()
    (provider,) = press.providers

    def refuse(word: str) -> None:
        if word == "b" and not repaired:
            raise GiveUp("no ink")

    repaired: list[bool] = []
    async with Scenario(press) as s:
        s.replace(provider, Printer(refuse))
        await s.when(Asked(pages=["a b", "c"]))
        s.owes("upper")
        s.then(Counted(words=["C"]))
        repaired.append(True)
        await s.retry()
        s.then(Counted(words=["A", "B"]), Done(got=["A B", "C"]))


async def test_failures_are_values_where_they_are_taken() -> None:
    press = Choreography("press")

    @press.reactor
    async def pages(asked: Asked) -> list[Page]:
        return [Page(name=page) for page in asked.pages]

    @press.reactor(retry=Retry(attempts=1))
    async def read(page: Page) -> Word:
        if page.name == "torn":
            raise ValueError("cannot be read")
        return Word(text=page.name)

    @press.reactor
    async def gather(words: list[Word | Failed[Page]]) -> Done:
        return Done(got=[w.text if isinstance(w, Word) else f"{w.event.name} {w.error}" for w in words])

    async with Scenario(press) as s:
        await s.when(Asked(pages=["a", "torn", "b"]))
        s.then(Done(got=["a", "torn cannot be read", "b"]))


async def test_a_join_stays_in_its_branch_and_takes_the_latest_of_an_enclosing_one() -> None:
    press = Choreography("press")

    @press.reactor
    async def configure(asked: Asked) -> Configured:
        return Configured(language="fr")

    @press.reactor
    async def pages(configured: Configured, run: Run[Asked]) -> list[Page]:
        return [Page(name=page) for page in run.start.pages]

    @press.reactor
    async def cut(page: Page) -> tuple[Word, Skipped]:
        return Word(text=page.name), Skipped()

    @press.reactor
    async def translate(word: Word, skipped: Skipped, config: Configured) -> Line:
        return Line(page=word.text, text=config.language)

    @press.reactor(each=Page)
    async def gather(lines: list[Line]) -> Done:
        return Done(got=[f"{line.page} {line.text}" for line in lines])

    async with Scenario(press) as s:
        await s.when(Asked(pages=["a", "b"]))
        s.then(Done(got=["a fr", "b fr"]))


async def test_a_fan_in_waits_for_a_join_that_can_still_be_completed_from_around() -> None:
    press = Choreography("press")

    @press.reactor
    async def pages(asked: Asked) -> list[Page]:
        return [Page(name=page) for page in asked.pages]

    @press.reactor(retry=Retry(attempts=3, first="1h", factor=1, most="1h", jitter=False))
    async def configure(asked: Asked, step: Step) -> Configured:
        if step.attempt == 1:
            raise ConnectionError("not yet")
        return Configured(language="fr")

    @press.reactor
    async def translate(page: Page, config: Configured) -> Line:
        return Line(page=page.name, text=config.language)

    @press.reactor
    async def gather(lines: list[Line]) -> Done:
        return Done(got=[f"{line.page} {line.text}" for line in lines])

    async with Scenario(press) as s:
        await s.when(Asked(pages=["a", "b"]))
        s.then_not(Done)
        assert s.status.status == "retrying"
        await s.passes("61m")
        s.then(Done(got=["a fr", "b fr"]))


async def test_history_up_to_what_was_gathered_can_be_looked_back_at() -> None:
    press = Choreography("press")

    @press.reactor
    async def pages(asked: Asked) -> list[Page]:
        return [Page(name=page) for page in asked.pages]

    @press.reactor
    async def gather(pages: list[Page], run: Run[Asked]) -> Done:
        return Done(got=[*run.start.pages, *(p.name for p in await run.events(Page))])

    async with Scenario(press) as s:
        await s.when(Asked(pages=["a", "b"]))
        s.then(Done(got=["a", "b", "a", "b"]))
        await s.run("none").when(Asked(pages=[]))
        s.run("none").then(Done(got=[]))
