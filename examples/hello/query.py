"""What a run is doing: its status and its events are read from the log, and no code of yours has to run for that.

There is no variable in a workflow to ask for. What others shall see is an event, and here it is: `GreetingChanged`.
"""

import asyncio

from farandole.reactors import Choreography, Client
from farandole.schemas import End, Event, Start

greetings = Choreography("greetings")


class GreetingWanted(Start):
    name: str


class GreetingChanged(Event):
    text: str


class Greeted(End):
    text: str


@greetings.reactor
async def begin(wanted: GreetingWanted) -> GreetingChanged:
    return GreetingChanged(text=f"Hello, {wanted.name}!")


@greetings.reactor
async def end(changed: GreetingChanged) -> Greeted:
    await asyncio.sleep(2)
    return Greeted(text=f"Goodbye{changed.text.removeprefix('Hello')}")


async def greeting_of(client: Client, run_id: str) -> str:
    """What the run's greeting is now, whether a worker is there or not."""
    text = ""
    async for recorded in client.run(run_id).events(live=False):
        if isinstance(recorded.event, GreetingChanged):
            text = recorded.event.text
    return text
