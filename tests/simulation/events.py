"""The events of the simulated choreography.

Each event that is ever made has a ``tag`` of its own, so that it can be told which execution of a handler made it.
"""

from farandole.schemas import End, Event, Signal, Start

NAME = "sim"


# A line with a branch, and work after its end.
class LineBegun(Start):
    tag: int


class Cut(Event):
    tag: int


class Recut(Event):
    tag: int


class Painted(Event):
    tag: int


class Scrapped(Event):
    tag: int


class LineDone(End):
    tag: int


class Swept(Event):
    tag: int


class Burnt(Event):
    tag: int
    ash: str = ""


class LineDropped(End):
    tag: int


# A fork into four, joined two by two.
class ForkBegun(Start):
    tag: int


class LeftMade(Event):
    tag: int


class RightMade(Event):
    tag: int


class LeftDone(Event):
    tag: int


class RightDone(Event):
    tag: int


class Merged(Event):
    tag: int


class ForkDone(End):
    tag: int


# A loop.
class LoopBegun(Start):
    tag: int
    turns: int


class Turned(Event):
    tag: int
    left: int


class LoopDone(End):
    tag: int


# Failures that are caught.
class RiskBegun(Start):
    tag: int


class Risked(Event):
    tag: int


class RiskDone(End):
    tag: int


class RiskMended(End):
    tag: int


# In order.
class DealBegun(Start):
    tag: int


class Item(Event):
    tag: int


class Served(Event):
    tag: int


class DealDone(End):
    tag: int


# Signals.
class NotesBegun(Start):
    tag: int


class Note(Signal):
    tag: int


class Written(Event):
    tag: int


class NotesClosed(Signal):
    tag: int


class NotesDone(End):
    tag: int


# A ring that would go round for ever after its end.
class RingBegun(Start):
    tag: int


class Rang(Event):
    tag: int


class RingDone(End):
    tag: int


# An end that drops what is owed.
class HaltBegun(Start):
    tag: int


class Wasted(Event):
    tag: int


class Halted(End, final=True):
    tag: int
