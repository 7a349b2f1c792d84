"""Multiple instances with a number known at run time: as many as the data says, none among them, then all together.

The list comes back in the order in which it was sent out, whoever was done first.
"""

import asyncio

from farandole.reactors import Choreography
from farandole.schemas import End, Event, Start

texts = Choreography("texts")


class TextGiven(Start):
    pages: list[str]


class PageFound(Event):
    text: str


class PageCounted(Event):
    words: int


class TextCounted(End):
    words: list[int]


@texts.reactor
async def split(text: TextGiven) -> list[PageFound]:
    return [PageFound(text=page) for page in text.pages]


@texts.reactor
async def count(page: PageFound) -> PageCounted:
    words = len(page.text.split())
    await asyncio.sleep(10 - words)
    return PageCounted(words=words)


@texts.reactor
async def add_up(counted: list[PageCounted]) -> TextCounted:
    return TextCounted(words=[each.words for each in counted])
