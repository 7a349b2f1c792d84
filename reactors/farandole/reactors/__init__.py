"""Choreographies, reactors and what they are made of; workers and clients."""

from farandole.projections.recorded import Recorded

from .choreography import Choreography
from .client import Client
from .decisions import DecisionView
from .errors import (
    ClientError,
    CommandRefused,
    GiveUp,
    NotOffered,
    ReactorError,
    RetryAfter,
    RunCancelled,
    RunExpired,
    RunFailed,
    UndeclaredOutcome,
    UnexpectedEnd,
)
from .failures import FailureGroup
from .handle import RunHandle
from .inputs import ChildDone, ChildFailed, Failed
from .live import Live
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
    "Client",
    "ClientError",
    "CommandRefused",
    "DecisionView",
    "Failed",
    "FailureGroup",
    "GiveUp",
    "Live",
    "NotOffered",
    "Provider",
    "ReactorError",
    "Recorded",
    "Retry",
    "RetryAfter",
    "Run",
    "RunCancelled",
    "RunExpired",
    "RunFailed",
    "RunHandle",
    "Step",
    "UndeclaredOutcome",
    "UnexpectedEnd",
]
