"""What looking at a store brings up."""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["ok", "warning", "error"]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        check: what was looked at, in a few words.
        severity: ``ok``, ``warning`` (works, but promises less) or ``error`` (will not work, or loses data).
        cause: what was found.
        cure: what to do, or nothing.
    """

    check: str
    severity: Severity
    cause: str
    cure: str = ""
