"""Fan-out over pages, fan-in with failures as values."""

from farandole.reactors import Choreography, Failed, Run
from farandole.schemas import End, Event, Start

report = Choreography("report")


class ReportAsked(Start):
    urls: list[str]


class PageFound(Event):
    url: str


class PageSummarised(Event):
    text: str


class ReportDone(End):
    text: str
    missing: list[str]


@report.reactor
async def find_pages(asked: ReportAsked) -> list[PageFound]:
    return [PageFound(url=u) for u in asked.urls]


@report.reactor
async def summarise(page: PageFound) -> PageSummarised | None:
    return PageSummarised(text=page.url) if page.url else None


@report.reactor(each=PageFound, within="1h")
async def combine(parts: list[PageSummarised | Failed[PageFound]], run: Run[ReportAsked]) -> ReportDone:
    good = [p.text for p in parts if isinstance(p, PageSummarised)]
    bad = [p.event.url for p in parts if isinstance(p, Failed)]
    return ReportDone(text=f"{len(run.start.urls)}: " + "\n".join(good), missing=bad)
