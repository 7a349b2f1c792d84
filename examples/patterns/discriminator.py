"""Discriminator: of several parallel steps, the first that is done leads on; the others are done and change nothing.

`enough=1` fires at the first one. `enough=3` is an m-out-of-n join: at the third.
"""

import asyncio

from farandole.reactors import Choreography
from farandole.schemas import End, Event, Start

quotes = Choreography("quotes")


class QuoteWanted(Start):
    insurers: list[str]


class InsurerAsked(Event):
    name: str


class Quoted(Event):
    name: str


class QuoteChosen(End):
    name: str


@quotes.reactor
async def ask_all(wanted: QuoteWanted) -> list[InsurerAsked]:
    return [InsurerAsked(name=name) for name in wanted.insurers]


@quotes.reactor
async def ask(asked: InsurerAsked) -> Quoted:
    await asyncio.sleep(len(asked.name))
    return Quoted(name=asked.name)


@quotes.reactor(enough=1)
async def choose(first: list[Quoted]) -> QuoteChosen:
    return QuoteChosen(name=first[0].name)
