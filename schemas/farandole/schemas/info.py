"""What an event class says about itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

from pydantic import BaseModel

from .errors import DeclarationError
from .upcast import Upcaster

Kind = Literal["event", "start", "signal", "answer", "end"]
_ATTRIBUTE: Final = "__farandole_event__"


@dataclass(frozen=True, slots=True)
class EventInfo:
    """What an event class says about itself. Get it by `event_info`."""

    name: str
    """The event's name without its choreography: that of the class, or ``name=``."""
    version: int
    kind: Kind
    abstract: bool
    """Not an event of its own: declared ``abstract=True``, or generic."""
    final: bool
    """An `End` after which what is owed is dropped."""
    compensate: bool
    """An `End` that undoes what the run's steps did."""
    deadline: timedelta | None
    """Of a `Start`: a run that has not ended by then fails."""
    wants_reactor: bool
    """False: nobody need react to it, and it is never shown as unserved."""
    upcasters: Mapping[int, Upcaster]
    """By the version that each starts from."""


def info_of(cls: type) -> EventInfo | None:
    """What a class itself, its bases aside, says; None if it is no class of events."""
    info = vars(cls).get(_ATTRIBUTE)
    return info if isinstance(info, EventInfo) else None


def keep_info(cls: type, info: EventInfo) -> None:
    setattr(cls, _ATTRIBUTE, info)


def event_info(cls: type[BaseModel]) -> EventInfo:
    """What an event class says about itself; for abstract classes and the kinds themselves too.

    Raises:
        DeclarationError: ``cls`` is not a class of events.
    """
    info = info_of(cls)
    if info is None:
        raise DeclarationError(f"{cls!r} is not a class of events; derive it from Event, Start, Signal, Answer or End")
    return info
