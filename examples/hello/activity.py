"""A step with a typed input and a typed result. An async handler is awaited on the worker's loop."""

from farandole.reactors import Choreography
from farandole.schemas import End, Start

greetings = Choreography("greetings")


class GreetingWanted(Start):
    greeting: str
    name: str


class Greeted(End):
    text: str


@greetings.reactor
async def compose(wanted: GreetingWanted) -> Greeted:
    return Greeted(text=f"{wanted.greeting}, {wanted.name}!")
