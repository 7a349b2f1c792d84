"""Runs that stand still: they wait for a signal, for a signal that completes a join, or for a timer.

``python -m benchmarks.idle_app URL NAME signal|join|timer`` works on them. Prints ``ready``, and once everything is restored a
line of JSON; ends at SIGTERM.
"""

import asyncio
import gc
import json
import signal
import sys

import uvloop

from farandole.reactors import After, Choreography
from farandole.schemas import End, Event, Signal, Start


class Opened(Start):
    text: str


class Checked(Event):
    text: str


class Approved(Signal):
    by: str


class Due(Event): ...


class Settled(End):
    by: str


def standing(name: str, waits: str) -> Choreography:
    """A choreography whose runs stand still after their first step.

    Args:
        waits: for a ``signal``, for the signal in a ``join``, or for a ``timer``.
    """
    made = Choreography(name)
    made.know(Checked)

    if waits == "timer":

        @made.reactor(name="check")
        async def wait(e: Opened) -> After[Due]:
            return After("30d", Due())

        @made.reactor(name="settle")
        async def settle_in_time(e: Due) -> Settled:
            return Settled(by="the clock")

        return made

    @made.reactor
    async def check(e: Opened) -> Checked | None:
        return Checked(text=e.text) if waits == "join" else None

    if waits == "join":

        @made.reactor
        async def settle(e: Checked, approved: Approved) -> Settled:
            return Settled(by=approved.by)

    else:

        @made.reactor(name="settle")
        async def settle_at_once(approved: Approved) -> Settled:
            return Settled(by=approved.by)

    return made


async def main(url: str, name: str, waits: str) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    print("ready", flush=True)
    async with standing(name, waits).work(url):
        gc.collect()
        print(json.dumps({"restored": True}), flush=True)
        await stop.wait()


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
