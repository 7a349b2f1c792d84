"""Code changes under runs that are open, and nothing is patched: handlers are never replayed, so a step runs the code
that is there when its turn comes. What has happened stays as it was.

Two releases of one service. An event has grown a field: an upcaster reads the old form as the new one.
"""

from typing import Any

from farandole.reactors import Choreography
from farandole.schemas import End, Event, Signal, Start, upcast

before = Choreography("greetings", version="1")
after = Choreography("greetings", version="2")


class GreetingWanted(Start): ...


class NameGiven(Signal):
    name: str


class Greeted(End):
    text: str


class ComposedBefore(Event, name="Composed"):
    text: str


class Composed(Event, version=2):
    text: str
    mark: str

    @staticmethod
    @upcast(1)
    def without_mark(old: dict[str, Any]) -> dict[str, Any]:
        return {**old, "mark": "?"}


@before.reactor(name="compose")
async def compose_before(wanted: GreetingWanted) -> ComposedBefore:
    return ComposedBefore(text="Hello")


@before.reactor(name="greet")
async def greet_before(composed: ComposedBefore, given: NameGiven) -> Greeted:
    return Greeted(text=f"{composed.text}, {given.name}")


@after.reactor
async def compose(wanted: GreetingWanted) -> Composed:
    return Composed(text="Bonjour", mark="!")


@after.reactor
async def greet(composed: Composed, given: NameGiven) -> Greeted:
    return Greeted(text=f"{composed.text}, {given.name}{composed.mark}")
