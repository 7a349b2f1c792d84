"""The choreography that hostile records are thrown at.

    python -m hostile.dance URL NAME

is a worker of it, until SIGTERM.
"""

import asyncio
import logging
import sys

from pydantic import BaseModel

from farandole.reactors import Choreography
from farandole.schemas import End, Event, Signal, Start

PARTITIONS = 4


class Knot(BaseModel):
    inner: "list[Knot]" = []


class Begun(Start):
    word: str = ""
    numbers: list[int] = []  # noqa: RUF012
    knot: Knot = Knot()


class Went(Event):
    n: int = 0


class Nudged(Signal):
    note: str = ""


class Done(End):
    n: int = 0


REACTORS = (b"go", b"end", b"hear")


def dance(name: str) -> Choreography:
    """Two steps a run, and a third for each signal."""
    made = Choreography(name)

    @made.reactor
    async def go(begun: Begun) -> Went:
        return Went(n=len(begun.numbers))

    @made.reactor
    async def end(went: Went) -> Done:
        return Done(n=went.n)

    @made.reactor
    async def hear(nudged: Nudged) -> None: ...

    return made


def main() -> None:
    url, name = sys.argv[1:]
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    asyncio.run(work(url, name))


async def work(url: str, name: str) -> None:
    await dance(name).work(url, member="one")


if __name__ == "__main__":
    main()
