"""When a failed attempt is tried again, and when not: policy as data, and one pure function."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from farandole.projections import StateFailed
from farandole.schemas import DeclarationError, Duration, EncodingError, UndecodableValue, parse_duration

from .errors import DeadlinePassed, GiveUp, RetryAfter, UndeclaredOutcome

FINAL: Final = (
    GiveUp,
    DeadlinePassed,
    UndeclaredOutcome,
    DeclarationError,
    EncodingError,
    UndecodableValue,
    StateFailed,
)
"""What no further attempt with the same code and the same trigger can cure."""


@dataclass(frozen=True, kw_only=True)
class Retry:
    """How often and when a step is attempted again.

    Attributes:
        attempts: attempts in all, the first included; 1 means none is repeated.
        first: the wait after the first attempt.
        factor: each further wait is so many times as long, 1 or more.
        most: no wait is longer.
        jitter: spread each wait evenly over its upper half, so that steps that failed together do not return together.
        on: only these exceptions are tried again; any other is final.

    Raises:
        DeclarationError: a value is out of its range.
    """

    attempts: int = 10
    first: Duration = "1s"
    factor: float = 2
    most: Duration = "5m"
    jitter: bool = True
    on: type[Exception] | tuple[type[Exception], ...] = Exception
    _first: float = field(init=False, repr=False, compare=False)
    _most: float = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.attempts < 1:
            raise DeclarationError(f"Retry(attempts={self.attempts}): there is at least one attempt")
        if not 1 <= self.factor < float("inf"):
            raise DeclarationError(f"Retry(factor={self.factor}): a factor is 1 or more, so that waits never shrink")
        first, most = _seconds("first", self.first), _seconds("most", self.most)
        if most < first:
            raise DeclarationError(
                f"Retry(first={self.first!r}, most={self.most!r}): the longest wait is shorter than the first"
            )
        kinds = self.on if isinstance(self.on, tuple) else (self.on,)
        for kind in kinds:
            if not (isinstance(kind, type) and issubclass(kind, Exception)):
                raise DeclarationError(f"Retry(on={kind!r}): name exception classes, as on=(OSError, TimeoutError)")
        object.__setattr__(self, "_first", first)
        object.__setattr__(self, "_most", most)

    def wait(self, attempt: int) -> timedelta:
        """The wait after attempt number ``attempt`` (from 1), without jitter."""
        try:
            seconds = self._first * float(self.factor) ** (attempt - 1)
        except OverflowError:
            seconds = self._most if self._first else 0.0
        return timedelta(seconds=min(seconds, self._most))


def _seconds(name: str, value: Duration) -> float:
    try:
        return parse_duration(value).total_seconds()
    except DeclarationError as e:
        raise DeclarationError(f"Retry({name}={value!r}): {e}") from e


STANDARD: Final = Retry()
"""What a reactor does that says nothing else."""


@dataclass(frozen=True, slots=True)
class RetryIn:
    """Try again after ``delay``."""

    delay: timedelta


@dataclass(frozen=True, slots=True)
class GiveUpNow:
    """The failure is final, and ``why``."""

    why: str


def decide(
    policies: Retry | Sequence[Retry], error: Exception, attempt: int, random: Callable[[], float]
) -> RetryIn | GiveUpNow:
    """What follows when attempt number ``attempt`` (from 1) failed with ``error``.

    Args:
        policies: the first one whose ``on`` names the error is that of the error.
        random: gives a number in [0, 1); drawn from only if a wait is spread.
    """
    if isinstance(error, FINAL):
        return GiveUpNow(f"{type(error).__name__} is final")
    chosen = error.delay if isinstance(error, RetryAfter) else None
    known = (policies,) if isinstance(policies, Retry) else policies
    retry = next((policy for policy in known if isinstance(error, policy.on)), None)
    if retry is None:
        if chosen is None:
            return GiveUpNow(f"{type(error).__name__} is not retried")
        retry = known[0]
    if attempt >= retry.attempts:
        return GiveUpNow(f"attempt {attempt} of {retry.attempts}")
    if chosen is not None:
        return RetryIn(chosen)
    wait = retry.wait(attempt)
    return RetryIn(wait * (0.5 + random() / 2) if retry.jitter else wait)
