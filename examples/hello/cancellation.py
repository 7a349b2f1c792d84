"""A run is cancelled while a step works: the handler is told, and puts things in order. What it makes then is dropped.

An async handler is cancelled at its next `await`; a plain function asks `step.cancelled` now and then.
"""

import asyncio

from farandole.reactors import Choreography, Step
from farandole.schemas import End, Start

greetings = Choreography("greetings")


class GreetingWanted(Start):
    name: str


class Greeted(End):
    text: str


class Stage:
    def __init__(self) -> None:
        self.said: list[str] = []


@greetings.provide
def stage() -> Stage:
    return Stage()


@greetings.reactor
async def greet(wanted: GreetingWanted, step: Step, stage: Stage) -> Greeted:
    stage.said.append("curtain up")
    try:
        await asyncio.sleep(3_600)
        return Greeted(text=f"Hello, {wanted.name}!")
    finally:
        stage.said.append(f"curtain down: {step.cancel_reason}")
