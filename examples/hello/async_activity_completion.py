"""A step that somebody outside completes, minutes or weeks later: the run waits for a `Signal`.

What goes out is the run's id, and there is nothing else to keep: no worker, no thread, no memory waits.
"""

from farandole.reactors import Choreography, Step
from farandole.schemas import End, Event, Signal, Start

greetings = Choreography("greetings")


class GreetingWanted(Start):
    name: str


class ComposerAsked(Event, wants_reactor=False):
    ticket: str


class Composed(Signal):
    text: str


class Greeted(End):
    text: str


@greetings.reactor
async def ask_composer(wanted: GreetingWanted, step: Step) -> ComposerAsked:
    return ComposerAsked(ticket=step.run_id)  # posted to the composer, with step.key so that it is done once


@greetings.reactor
async def greet(composed: Composed) -> Greeted:
    return Greeted(text=composed.text)
