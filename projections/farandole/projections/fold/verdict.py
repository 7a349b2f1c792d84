"""What the fold makes of a record."""

from enum import IntEnum


class Verdict(IntEnum):
    """Admitted, held until its append is whole, or refused and why.

    The numbers are part of the log protocol: the digest is taken over them.
    """

    ADMITTED = 0
    HELD = 1
    """One record of an append that is not whole yet."""

    UNREADABLE = 16
    """Its headers, or a control record's content, do not fit the grammar."""
    UNKNOWN_KIND = 17
    """Its kind has no rule in the fold version in force."""
    MISROUTED = 18
    """Its key does not hash to this partition."""
    NO_RUN = 19
    """No open run has its key."""
    RUN_EXISTS = 20
    """A start of a run that is open."""
    RUN_REMEMBERED = 21
    """A start of a run that was closed within the dedup window."""
    TOO_LATE = 22
    """Log time has passed its ``not_after``."""
    NOT_OWED = 23
    """No such pair is owed: it has its outcome, or never was owed."""
    LATE = 24
    """An outcome, or a further failure, of a step that is parked; `retry` makes the step owed again."""
    WRONG_ATTEMPT = 25
    """A failure that is not of the next attempt."""
    RUN_ENDING = 26
    """The run has its result and takes no more of this kind."""
    REPEATED = 27
    """A command whose id was admitted before; a second answer of one person, a sub-step that the step has."""
    NOT_PARKED = 28
    """A retry of a failure that does not park a step."""
    SUPERSEDED = 29
    """A contract, setting or version that does not replace the one in force."""
    NOT_DUE = 30
    """It is not time yet: the run is not idle or failed for long enough, the timer or the claim has time left."""
    NO_CHANGE = 31
    """A pause of a paused run, a resume of one that is not."""
    NO_CONTRACT = 32
    """It names a reactor that has no contract in force."""
    TOO_FAR = 33
    """A command whose ``not_after`` lies further ahead than the setting allows."""
    NOT_PENDING = 34
    """The timer, decision, child, message or claim that it names is not there, or is there no longer."""
    OTHER_SUBJECT = 35
    """An answer to something else than what is decided on."""
    NOT_OFFERED = 36
    """An answer that was not among those to choose from."""
    CLAIMED = 37
    """Another worker holds the step."""
    TOO_DEEP = 38
    """A child run further below the first one than the setting allows."""
    FULL = 39
    """There is no room: for a further sub-step of the step, for a further schedule in the partition."""
    NOT_TAKEN = 40
    """News that no reactor takes."""

    @property
    def refused(self) -> bool:
        return self >= Verdict.UNREADABLE
