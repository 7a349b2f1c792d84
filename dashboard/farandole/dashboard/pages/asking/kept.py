"""Answers that change seldom and cost something are kept for some seconds."""

from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from farandole.projections import Runs

T = TypeVar("T")
_kept: "WeakKeyDictionary[Runs, dict[str, tuple[float, Any]]]" = WeakKeyDictionary()


async def kept(runs: Runs, what: str, seconds: float, ask: Callable[[], Awaitable[T]]) -> T:
    """An answer that is at most so old.

    Args:
        runs: whose answer it is.
        what: the question.
    """
    answers = _kept.setdefault(runs, {})
    until, answer = answers.get(what, (0.0, None))
    if monotonic() >= until:
        answer = await ask()
        answers[what] = (monotonic() + seconds, answer)
    found: T = answer
    return found
