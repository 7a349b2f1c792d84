"""A step that fails is tried again: how often and when is data. Each attempt that fails is a record of the run."""

from farandole.reactors import Choreography, Retry, Step
from farandole.schemas import End, Start

greetings = Choreography("greetings")


class GreetingWanted(Start):
    name: str


class Greeted(End):
    text: str
    attempts: int


@greetings.reactor(retry=Retry(attempts=10, first="2s", factor=2, most="30s"))
async def greet(wanted: GreetingWanted, step: Step) -> Greeted:
    if step.attempt < 4:
        raise RuntimeError("not yet")
    return Greeted(text=f"Hello, {wanted.name}!", attempts=step.attempt)
