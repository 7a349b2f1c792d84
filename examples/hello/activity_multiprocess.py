"""A step on a pool of processes: the pool is provided, and the handler awaits what it gives to it."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor

from farandole.reactors import Choreography
from farandole.schemas import End, Start

greetings = Choreography("greetings")


class GreetingWanted(Start):
    name: str


class Greeted(End):
    text: str


def compose(name: str) -> str:
    """What takes a processor's time."""
    return f"Hello, {name}!"


@greetings.provide
def pool() -> Iterator[Executor]:
    with ProcessPoolExecutor(max_workers=2) as pool:
        yield pool


@greetings.reactor
async def greet(wanted: GreetingWanted, pool: Executor) -> Greeted:
    text = await asyncio.get_running_loop().run_in_executor(pool, compose, wanted.name)
    return Greeted(text=text)
