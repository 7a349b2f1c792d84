"""Multiple instances without synchronization: many of one step, and nobody waits for them.

The list makes a branch for each; no reactor gathers them. The first `End` is the run's result, what is owed is still
done, and the run is completed when the last letter is on its way.
"""

from farandole.reactors import Choreography, Step
from farandole.schemas import End, Event, Start

news = Choreography("news")


class NewsletterWritten(Start):
    to: list[str]


class LetterAddressed(Event):
    to: str


class LetterSent(Event, wants_reactor=False):
    to: str


class NewsletterOut(End): ...


@news.reactor
async def address(letter: NewsletterWritten) -> list[LetterAddressed]:
    return [LetterAddressed(to=name) for name in letter.to]


@news.reactor
async def send(letter: LetterAddressed, step: Step) -> LetterSent:
    step.log.info("to %s", letter.to)
    return LetterSent(to=letter.to)


@news.reactor
async def archive(letter: NewsletterWritten) -> NewsletterOut:
    return NewsletterOut()
