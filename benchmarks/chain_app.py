"""Five sequential durable no-op steps: the work that every system of the chain benchmark does.

The environment says what it is called (CHAIN_NAME), which of its reactors are declared (CHAIN_SERVICE, one of their
names; all of them without it), for how many microseconds each handler computes (CHAIN_WORK_US; 0 without it), and how
many bytes each step leaks (CHAIN_LEAK; none without it), by which the soak is known to notice.
"""

import os
from collections.abc import Callable
from time import perf_counter
from typing import Any

from farandole.reactors import Choreography
from farandole.schemas import End, Event, Start

SERVICE = os.environ.get("CHAIN_SERVICE")
WORK = float(os.environ.get("CHAIN_WORK_US", "0")) / 1e6
LEAK = int(os.environ.get("CHAIN_LEAK", "0"))
_leaked: list[bytes] = []

chain = Choreography(os.environ.get("CHAIN_NAME", "chain"), service=SERVICE)


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


EVENTS: tuple[type[Event], ...] = (Begun, First, Second, Third, Fourth, Finished)
STEPS = len(EVENTS) - 1
SERVICES = ("first", "second", "third", "fourth", "fifth")

chain.know(*EVENTS)


def served(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Declare a reactor, if it is one of this service."""
    return chain.reactor(fn) if SERVICE in (None, fn.__name__) else fn


def compute() -> None:
    """What a handler has to do; nothing unless CHAIN_WORK_US or CHAIN_LEAK says so."""
    if LEAK:
        _leaked.append(b"x" * LEAK)
    if WORK:
        until = perf_counter() + WORK
        while perf_counter() < until:
            pass


@served
async def first(e: Begun) -> First:
    compute()
    return First(n=e.n + 1, text=e.text)


@served
async def second(e: First) -> Second:
    compute()
    return Second(n=e.n + 1, text=e.text)


@served
async def third(e: Second) -> Third:
    compute()
    return Third(n=e.n + 1, text=e.text)


@served
async def fourth(e: Third) -> Fourth:
    compute()
    return Fourth(n=e.n + 1, text=e.text)


@served
async def fifth(e: Fourth) -> Finished:
    compute()
    return Finished(n=e.n + 1, text=e.text)
