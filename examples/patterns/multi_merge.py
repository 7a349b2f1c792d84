"""Multi-merge: parallel ways come together without waiting; what follows is done once for each that arrives."""

from farandole.reactors import Choreography
from farandole.schemas import Event, Start

exams = Choreography("exams")


class PaperHandedIn(Start):
    student: str


class GrammarMarked(Event):
    points: int


class ContentMarked(Event):
    points: int


class PointsEntered(Event, wants_reactor=False):
    points: int


@exams.reactor
async def mark_grammar(paper: PaperHandedIn) -> GrammarMarked:
    return GrammarMarked(points=3)


@exams.reactor
async def mark_content(paper: PaperHandedIn) -> ContentMarked:
    return ContentMarked(points=5)


@exams.reactor
async def enter(marked: GrammarMarked | ContentMarked) -> PointsEntered:
    return PointsEntered(points=marked.points)
