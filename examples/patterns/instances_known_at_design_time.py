"""Multiple instances with a number known at design time: each paper has three reviewers, and waits for all of them."""

from farandole.reactors import Choreography
from farandole.schemas import End, Event, Start

journal = Choreography("journal")

REVIEWERS = ("ann", "ben", "cleo")


class PaperSubmitted(Start):
    title: str


class ReviewAsked(Event):
    title: str
    of: str


class Reviewed(Event):
    by: str
    good: bool


class PaperDecided(End):
    accepted: bool
    by: list[str]


@journal.reactor
async def ask_for_reviews(paper: PaperSubmitted) -> list[ReviewAsked]:
    return [ReviewAsked(title=paper.title, of=name) for name in REVIEWERS]


@journal.reactor
async def review(asked: ReviewAsked) -> Reviewed:
    return Reviewed(by=asked.of, good=len(asked.title) < 20)


@journal.reactor
async def decide(reviews: list[Reviewed]) -> PaperDecided:
    return PaperDecided(accepted=all(each.good for each in reviews), by=[each.by for each in reviews])
