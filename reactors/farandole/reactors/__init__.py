"""Choreographies, reactors and what they are made of."""

from .choreography import Choreography
from .errors import GiveUp, ReactorError, RetryAfter, UndeclaredOutcome
from .inputs import ChildDone, ChildFailed, Failed
from .outputs import After, Ask, Child
from .provide import Provider
from .retry import Retry
from .run import Run
from .step import Step

__all__ = [
    "After",
    "Ask",
    "Child",
    "ChildDone",
    "ChildFailed",
    "Choreography",
    "Failed",
    "GiveUp",
    "Provider",
    "ReactorError",
    "Retry",
    "RetryAfter",
    "Run",
    "Step",
    "UndeclaredOutcome",
]
