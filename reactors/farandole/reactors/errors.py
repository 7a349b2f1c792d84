"""The errors of reactors, as a tree below `farandole.schemas.errors.FarandoleError`:

    ReactorError
    ├── GiveUp              raise it in a handler: the step fails at once, without another attempt
    ├── RetryAfter          raise it in a handler: the next attempt comes after a time of its choosing
    ├── DeadlinePassed      a step was not done within its deadline=; it fails for good
    ├── UndeclaredOutcome   a handler returned what its annotation does not name; the step fails for good
    ├── WorkerLost          never raised: what a step failed with whose workers were lost once too often
    ├── NotOffered          nobody offers the runs that a service looks for, so the worker does not begin
    ├── ProviderFailed      a provider could not make what reactors take, so the worker does not begin
    └── ClientError         what a client is told of a run
        ├── CommandRefused  the log did not admit what was sent
        ├── RunFailed       a step is parked
        ├── UnexpectedEnd   the run ended with another End than was asked for
        ├── RunCancelled    the run was cancelled
        ├── RunExpired      the run was idle for too long or had passed its deadline, and was closed
        ├── UnknownReactor  no contract names the reactor
        ├── UnknownSchedule no schedule has that name
        ├── UnknownStart    no event has that name
        ├── RetirementRefused   another contract keeps coming into force
        ├── SettingRefused      somebody else keeps changing the setting
        └── PolicyRefused       somebody else keeps turning the same switch

    DeclarationError
    └── ServedElsewhere     a reactor of this service is another service's by its contract in force

The first two are for handlers to raise; all others are for callers to catch.
"""

from collections.abc import Sequence
from difflib import get_close_matches

from farandole.projections.fold import Verdict
from farandole.schemas import DeclarationError, Duration, FarandoleError, parse_duration


class ReactorError(FarandoleError):
    """The root of the errors of reactors."""


class GiveUp(ReactorError):
    """Raise it in a handler to fail the step at once: no further attempt would help.

    ``raise GiveUp("the card is stolen")``
    """


class RetryAfter(ReactorError):
    """Raise it in a handler to choose when the next attempt comes: ``raise RetryAfter("30s")``.

    It counts as an attempt: the last one allowed is final all the same.

    Attributes:
        delay: how long to wait; not cut by `Retry.most`, and without jitter.
    """

    def __init__(self, delay: Duration, why: str = "") -> None:
        self.delay = parse_duration(delay)
        super().__init__(why or f"asks for another attempt after {delay}")


class DeadlinePassed(ReactorError):
    """A step was not done within the ``deadline=`` of its reactor. It fails for good, whatever attempts are left."""


class UndeclaredOutcome(ReactorError):
    """A handler returned what its annotation does not name. A change of code is needed, so it is never retried."""


class WorkerLost(ReactorError):
    """A worker that had a step in hand did not renew its claim: its process ended, or its event loop was blocked."""


class ProviderFailed(ReactorError):
    """A provider could not make what reactors take. The worker does not begin."""


class ClientError(ReactorError):
    """What a client is told of a run. The message names the run."""


class CommandRefused(ClientError):
    """The log did not admit what was sent.

    Attributes:
        verdict: what the fold made of it.
    """

    def __init__(self, message: str, verdict: Verdict) -> None:
        super().__init__(message)
        self.verdict = verdict


class RunFailed(ClientError):
    """A step is parked, so that there is no result before somebody retries it.

    Attributes:
        reactor: whose step it is.
        error: what its last attempt raised.
        traceback: where, as text.
    """

    def __init__(self, message: str, reactor: str, error: str, traceback: str) -> None:
        super().__init__(message)
        self.reactor = reactor
        self.error = error
        self.traceback = traceback


class UnexpectedEnd(ClientError):
    """The run ended with another `End` than was asked for.

    Attributes:
        end: the run's result.
    """

    def __init__(self, message: str, end: object) -> None:
        super().__init__(message)
        self.end = end


class RunCancelled(ClientError):
    """The run was cancelled.

    Attributes:
        reason: why, in the words of who cancelled it.
    """

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class RunExpired(ClientError):
    """The run was not done by its deadline, or was idle or failed for longer than the log's setting allows."""


class ServedElsewhere(DeclarationError):
    """A reactor of this service is served by another one, by its contract in force."""


class UnknownReactor(ClientError):
    """No contract in force names the reactor.

    Attributes:
        known: the reactors that have one.
    """

    def __init__(self, reactor: str, known: Sequence[str]) -> None:
        super().__init__(f"no contract names reactor '{reactor}'; there are {', '.join(known) or 'none yet'}")
        self.known = tuple(known)


class UnknownSchedule(ClientError):
    """The catalogue has no schedule of that name.

    Attributes:
        known: those that it has.
    """

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(f"no schedule is named '{name}'; there are {', '.join(known) or 'none yet'}")
        self.known = tuple(known)


class UnknownStart(ClientError):
    """Neither the log nor this process knows an event of that name.

    Attributes:
        known: those that could be meant.
    """

    def __init__(self, name: str, choreography: str, known: Sequence[str]) -> None:
        near = get_close_matches(name.rpartition(".")[2], known, n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(known) or 'none yet'}"
        super().__init__(f"choreography '{choreography}' has no start '{name}'; {hint}")
        self.known = tuple(known)


class NotOffered(ReactorError):
    """Nobody offers the runs that a service looks for.

    Attributes:
        known: the starts of those that are offered there.
    """

    def __init__(self, why: str, known: Sequence[str]) -> None:
        super().__init__(why)
        self.known = tuple(known)


class SettingRefused(ClientError):
    """A setting did not come into force, because somebody else keeps changing it."""


class PolicyRefused(ClientError):
    """A reactor could not be stopped, or not let go on: somebody else keeps turning the same switch."""


class RetirementRefused(ClientError):
    """A reactor was to be retired, but other contracts of it keep coming into force."""
