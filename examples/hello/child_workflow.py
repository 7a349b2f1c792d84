"""A run that starts another one and goes on with its result. The child has a history, a partition, a log of its own."""

from farandole.reactors import Child, ChildDone, Choreography
from farandole.schemas import End, Start

greetings = Choreography("greetings")
poems = Choreography("poems")


class GreetingWanted(Start):
    name: str


class PoemWanted(Start):
    about: str


class PoemWritten(End):
    text: str


class Greeted(End):
    text: str


@greetings.reactor
async def ask_poet(wanted: GreetingWanted) -> Child[PoemWanted]:
    return Child(PoemWanted(about=wanted.name), choreography="poems")


@poems.reactor
async def write(wanted: PoemWanted) -> PoemWritten:
    return PoemWritten(text=f"Shall I compare {wanted.about} to a summer's day?")


@greetings.reactor
async def greet(poem: ChildDone[PoemWritten]) -> Greeted:
    return Greeted(text=poem.end.text)
