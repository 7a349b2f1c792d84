"""An exception that no attempt gets past fails the run: whoever waits for the result is told which, and where."""

from farandole.reactors import Choreography, Retry
from farandole.schemas import End, Start

greetings = Choreography("greetings")


class GreetingWanted(Start):
    name: str


class Greeted(End):
    text: str


@greetings.reactor(retry=Retry(attempts=2))
async def greet(wanted: GreetingWanted) -> Greeted:
    raise RuntimeError(f"I do not know {wanted.name}")
