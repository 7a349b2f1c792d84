"""Steps in several deployments: each service is a `Choreography` of the same name, with workers of its own.

They share the events and the log, and nothing else; each could be a repository of its own.
"""

from farandole.reactors import Choreography
from farandole.schemas import End, Event, Start

desk = Choreography("greetings", service="desk")
choir = Choreography("greetings", service="choir")


class GreetingWanted(Start):
    name: str


class Composed(Event):
    text: str


class Greeted(End):
    text: str


@desk.reactor
async def compose(wanted: GreetingWanted) -> Composed:
    return Composed(text=f"Hello, {wanted.name}!")


@choir.reactor
async def sing(composed: Composed) -> Greeted:
    return Greeted(text=composed.text.upper())
