"""A worker whose process ends in one of its steps: ``python dying_worker.py URL NAME``. Its times are short."""

import asyncio
import os
import sys

from farandole.reactors import Choreography, leases
from farandole.schemas import End, Start


class Begun(Start):
    deadly: bool = False


class Done(End): ...


def choreography(name: str) -> Choreography:
    dance = Choreography(name)

    @dance.reactor
    async def do(begun: Begun) -> Done:
        if begun.deadly:
            os._exit(7)
        return Done()

    return dance


async def main(url: str, name: str) -> None:
    await choreography(name).work(url, partitions=1)


if __name__ == "__main__":
    leases.LEASE, leases.MARGIN = 1_500, 100  # type: ignore[misc]
    asyncio.run(main(*sys.argv[1:]))
