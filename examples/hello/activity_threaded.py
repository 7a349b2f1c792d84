"""A plain function runs in a thread, so it may block; `concurrency=` is how many threads its reactor has."""

import time

from farandole.reactors import Choreography
from farandole.schemas import End, Start

greetings = Choreography("greetings")


class GreetingWanted(Start):
    name: str


class Greeted(End):
    text: str


@greetings.reactor(concurrency=5, timeout="10s")
def greet(wanted: GreetingWanted) -> Greeted:
    time.sleep(0.01)
    return Greeted(text=f"Hello, {wanted.name}!")
