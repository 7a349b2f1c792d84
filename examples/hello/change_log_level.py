"""Logging: `step.log` is a standard logger, so its level is set as for any other; nothing is replayed or hidden."""

import logging

from farandole.reactors import Choreography, Step
from farandole.schemas import End, Start

greetings = Choreography("greetings")


class GreetingWanted(Start):
    name: str


class Greeted(End):
    text: str


@greetings.reactor
async def greet(wanted: GreetingWanted, step: Step) -> Greeted:
    step.log.debug("composing for %s", wanted.name)
    return Greeted(text=f"Hello, {wanted.name}!")


def tell_all() -> None:
    """Show what this reactor logs, down to the details."""
    logging.getLogger("farandole.greetings.greet").setLevel(logging.DEBUG)
