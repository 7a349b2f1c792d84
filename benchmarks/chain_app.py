"""Five sequential durable no-op steps: the work that every system of the chain benchmark does."""

import os

from farandole.reactors import Choreography
from farandole.schemas import End, Event, Start

chain = Choreography(os.environ.get("CHAIN_NAME", "chain"))


class Begun(Start):
    n: int
    text: str


class First(Event):
    n: int
    text: str


class Second(Event):
    n: int
    text: str


class Third(Event):
    n: int
    text: str


class Fourth(Event):
    n: int
    text: str


class Finished(End):
    n: int
    text: str


@chain.reactor
async def first(e: Begun) -> First:
    return First(n=e.n + 1, text=e.text)


@chain.reactor
async def second(e: First) -> Second:
    return Second(n=e.n + 1, text=e.text)


@chain.reactor
async def third(e: Second) -> Third:
    return Third(n=e.n + 1, text=e.text)


@chain.reactor
async def fourth(e: Third) -> Fourth:
    return Fourth(n=e.n + 1, text=e.text)


@chain.reactor
async def fifth(e: Fourth) -> Finished:
    return Finished(n=e.n + 1, text=e.text)
