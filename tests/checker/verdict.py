"""What the fold says of a record: section 9's numbers."""

from enum import IntEnum


class Verdict(IntEnum):
    ADMITTED = 0
    HELD = 1
    UNREADABLE = 16
    UNKNOWN_KIND = 17
    MISROUTED = 18
    NO_RUN = 19
    RUN_EXISTS = 20
    RUN_REMEMBERED = 21
    TOO_LATE = 22
    NOT_OWED = 23
    LATE = 24
    WRONG_ATTEMPT = 25
    RUN_ENDING = 26
    REPEATED = 27
    NOT_PARKED = 28
    SUPERSEDED = 29
    NOT_DUE = 30
    NO_CHANGE = 31
    NO_CONTRACT = 32
    TOO_FAR = 33
    NOT_PENDING = 34
    OTHER_SUBJECT = 35
    NOT_OFFERED = 36
    CLAIMED = 37
    TOO_DEEP = 38
    FULL = 39
    NOT_TAKEN = 40
