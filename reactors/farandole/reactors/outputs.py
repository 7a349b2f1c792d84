"""What a handler can return besides events: a timer, a question to a person, a child run.

Each is class, constructor and annotation in one: ``-> After[Reminder]`` returns ``After("1d", Reminder())``. They stand
wherever an event does: in a union, a tuple, a list.
"""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Generic

from pydantic import BaseModel
from typing_extensions import TypeVar

from farandole.schemas import Duration, Event, Start, parse_duration

E_co = TypeVar("E_co", bound=Event, covariant=True)
S_co = TypeVar("S_co", bound=Start, covariant=True)


_MOST_QUORUM: Final = 65_535
"""It has two bytes on the wire."""


@dataclass(frozen=True, slots=True, init=False)
class After(Generic[E_co]):
    """A durable timer: ``event`` is emitted when it fires.

    ``After("10m", Reminder())`` counts from the log time of the outcome; ``After(when, Reminder())`` takes an aware
    datetime. With ``@reactor(unless=C)`` it is dropped once a ``C`` is admitted after the trigger.

    Attributes:
        when: the time to wait, or the time to fire at.
        event: what is then emitted.

    Raises:
        DeclarationError: a duration that cannot be read.
        ValueError: a datetime without a time zone.
    """

    when: timedelta | datetime
    event: E_co

    def __init__(self, when: Duration | datetime, event: E_co) -> None:
        read = when if isinstance(when, datetime) else parse_duration(when)
        if isinstance(read, datetime) and read.tzinfo is None:
            raise ValueError(f"After({when!r}, ...): the time has no time zone; give one, as datetime(..., tzinfo=UTC)")
        object.__setattr__(self, "when", read)
        object.__setattr__(self, "event", event)


@dataclass(frozen=True, slots=True, init=False)
class Ask(Generic[E_co]):
    """A decision: a question to people, with the types of the answers that they may give.

    Attributes:
        question: what is asked, one line.
        answers: the `Answer` classes to choose from.
        about: what the decision is about, shown with the question.
        to: who may answer: names of people, or ``role:editor``.
        within: how long it stays open; then ``otherwise`` is emitted.
        otherwise: what the answer is when nobody gave one: one of the answers, or a plain event.
        quorum: how many people must give the same kind of answer.

    Raises:
        ValueError: no answer to choose from, ``within`` without ``otherwise`` or the other way round, or a quorum
            below 1.
    """

    question: str
    answers: tuple[type[E_co], ...]
    about: BaseModel | None
    to: tuple[str, ...]
    within: timedelta | None
    otherwise: E_co | None
    quorum: int

    def __init__(
        self,
        question: str,
        *answers: type[E_co],
        about: BaseModel | None = None,
        to: Sequence[str] = (),
        within: Duration | None = None,
        otherwise: E_co | None = None,
        quorum: int = 1,
    ) -> None:
        if not answers:
            raise ValueError(f"Ask({question!r}): give the answers to choose from, as Ask(question, Yes, No)")
        if (within is None) != (otherwise is None):
            raise ValueError(f"Ask({question!r}): within= and otherwise= go together: how long to wait, and what then")
        if isinstance(to, str):
            raise ValueError(f"Ask({question!r}): to= is a list, as to=[{to!r}]")
        if not 1 <= quorum <= _MOST_QUORUM:
            raise ValueError(f"Ask({question!r}): a quorum is 1 to {_MOST_QUORUM}, not {quorum}")
        for name, value in (
            ("question", question),
            ("answers", answers),
            ("about", about),
            ("to", tuple(to)),
            ("within", None if within is None else parse_duration(within)),
            ("otherwise", otherwise),
            ("quorum", quorum),
        ):
            object.__setattr__(self, name, value)


@dataclass(frozen=True, slots=True)
class Child(Generic[S_co]):
    """A child run, started by ``start``.

    Attributes:
        start: what opens the child.
        choreography: where it runs; None means in this choreography.
        run_id: its id; None means one derived from the step, so that a second attempt starts the same child.
        detach: the child is not cancelled with its parent, and the parent gets no news of it.

    Raises:
        ValueError: the run id is empty or too long.
    """

    start: S_co
    choreography: str | None = None
    run_id: str | None = None
    detach: bool = False

    def __post_init__(self) -> None:
        if self.run_id is not None and not 1 <= len(self.run_id.encode()) <= 255:
            raise ValueError(
                f"Child(run_id=...): a run id has 1 to 255 bytes of UTF-8, not {len(self.run_id.encode())}"
            )


Item = Event | After[Any] | Ask[Any] | Child[Any]
"""What one place of an outcome can hold."""

Outcome = Item | Sequence[Item] | None
"""What a handler may return, as the type checkers see it; `Signature.gives` is exact."""

AsyncOutcome = Outcome | Awaitable[Outcome]
