"""The options of `@reactor`, checked and normalised."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import timedelta
from difflib import get_close_matches
from typing import Any

from farandole.schemas import DeclarationError, Duration, Event, parse_duration

from .retry import STANDARD, Retry

NAME_BYTES = 255
"""A reactor's name has one byte for its length on the wire."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReactorOptions:
    """How a reactor is run and what narrows its subscription.

    Attributes:
        name: its name in contracts, records and step keys.
        of: the name of the one reactor whose failures it takes; None means of all.
        each: the event of the fan-out that a ``list[...]`` gathers; None means the only one that leads to it.
        unless: events that drop the timers which it returned.
        retry: when a failed attempt is made again; of several, the first whose ``on`` names the error decides.
        timeout: for one attempt; None means none.
        deadline: for the step in all, waits between attempts included; None means none.
        concurrency: handlers at once in one worker.
        ordered: one step at a time in a run, in the order of the log.
        enough: a fan-in fires at so many.
        within: a fan-in fires after so long with what is there.
        compensate: undoes the step when the run's end asks for it.
    """

    name: str
    of: str | None = None
    each: type[Event] | None = None
    unless: tuple[type[Event], ...] = ()
    retry: Retry | Sequence[Retry] = STANDARD
    timeout: timedelta | None = None
    deadline: timedelta | None = None
    concurrency: int = 100
    ordered: bool = False
    enough: int | None = None
    within: timedelta | None = None
    compensate: Callable[..., Any] | None = None

    def __post_init__(self) -> None:
        if not self.name or any(c.isspace() or not c.isprintable() for c in self.name):
            raise DeclarationError(f"name={self.name!r} is no name: one word, without spaces")
        if len(self.name.encode()) > NAME_BYTES:
            raise DeclarationError(f"name={self.name[:40]!r}... is longer than {NAME_BYTES} bytes")
        policies = (self.retry,) if isinstance(self.retry, Retry) else self.retry
        if not isinstance(policies, Sequence) or not policies or not all(isinstance(each, Retry) for each in policies):
            raise DeclarationError(f"retry={self.retry!r} is no Retry; write retry=Retry(attempts=3), say")
        if not isinstance(self.concurrency, int) or not isinstance(self.ordered, bool):
            raise DeclarationError("concurrency= is a number and ordered= is True or False")
        if self.concurrency < 1:
            raise DeclarationError(f"concurrency={self.concurrency}: at least one handler at a time")
        if self.enough is not None and self.enough < 1:
            raise DeclarationError(f"enough={self.enough}: a fan-in waits for at least one")
        if self.timeout is not None and not self.timeout:
            raise DeclarationError("timeout=0: no attempt could end in time; leave it out for none")

        if self.deadline is not None and not self.deadline:
            raise DeclarationError("deadline=0: no step could be done in time; leave it out for none")


def unknown_options(where: str, given: Iterable[str]) -> DeclarationError:
    """The error for options that `@reactor` does not have."""
    known = [each.name for each in fields(ReactorOptions)]
    name = next(iter(given))
    near = get_close_matches(name, known, n=1, cutoff=0.5)
    said = f"did you mean {near[0]}=?" if near else f"there are {', '.join(known)}"
    return DeclarationError(f"{where}: @reactor takes no {name}=; {said}")


def duration(option: str, value: Duration | None) -> timedelta | None:
    """An option's duration.

    Raises:
        DeclarationError: it cannot be read; the message names the option.
    """
    try:
        return None if value is None else parse_duration(value)
    except DeclarationError as e:
        raise DeclarationError(f"{option}=: {e}") from e


def named_events(value: type[Event] | Sequence[type[Event]] | None) -> tuple[type[Event], ...]:
    """An option that names one event or several."""
    if value is None:
        return ()
    return (value,) if isinstance(value, type) else tuple(value)
