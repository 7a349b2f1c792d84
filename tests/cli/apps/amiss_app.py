"""A choreography in which all kinds of things are amiss, so that no worker could begin."""

from farandole.reactors import Choreography
from farandole.schemas import End, Event, Start

amiss = Choreography("amiss")
sound = Choreography("sound")


class Opened(Start): ...


class Left(Event): ...


class Done(End): ...


class Nobody: ...


@amiss.reactor
def open(opened: Opened, nobody: Nobody) -> Left: ...


@sound.reactor
def close(opened: Opened) -> Done: ...
