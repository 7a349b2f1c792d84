"""What a handler can take besides events: news of failures and of child runs, about an event."""

from dataclasses import dataclass
from typing import Generic

from typing_extensions import TypeVar

from farandole.schemas import End, Event, Start

E_co = TypeVar("E_co", bound=Event, default=Event, covariant=True)
End_co = TypeVar("End_co", bound=End, default=End, covariant=True)
Start_co = TypeVar("Start_co", bound=Start, default=Start, covariant=True)


@dataclass(frozen=True, slots=True)
class Failed(Generic[E_co]):
    """The final failure of a step that took an ``E``; who takes it has handled it.

    Attributes:
        event: the trigger of the step that failed.
        reactor: the name of the reactor that failed.
        error: the message of the exception.
        error_type: the name of the exception's class.
        attempts: how many attempts were made.
        traceback: the traceback of the last one, as text.
    """

    event: E_co
    reactor: str
    error: str
    error_type: str = "Exception"
    attempts: int = 1
    traceback: str = ""


@dataclass(frozen=True, slots=True)
class ChildDone(Generic[End_co]):
    """A child run has ended with an ``E``.

    Attributes:
        end: the child's result.
        run_id: the child's id.
        choreography: the choreography that it ran in.
    """

    end: End_co
    run_id: str = ""
    choreography: str = ""


@dataclass(frozen=True, slots=True)
class ChildFailed(Generic[Start_co]):
    """A child run that an ``S`` started has failed, or was cancelled.

    Attributes:
        start: what started the child.
        run_id: the child's id.
        choreography: the choreography that it ran in.
        error: why, in words.
        cancelled: it was cancelled and did not fail.
    """

    start: Start_co
    run_id: str = ""
    choreography: str = ""
    error: str = ""
    cancelled: bool = False
