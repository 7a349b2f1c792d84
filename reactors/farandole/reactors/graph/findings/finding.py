"""What a look at a graph brings up."""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "info"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found.

    Attributes:
        severity: ``error`` (it cannot work), ``warning`` (it will not do what it seems to, unless code that is not at
            hand does the rest) or ``info`` (worth knowing).
        name: of the kind of finding, as ``docs/checking.md`` heads it.
        where: the reactor, event or schedule, as ``orders.ship``.
        text: what was found, in a sentence without its end.
        cure: what to do.
    """

    severity: Severity
    name: str
    where: str
    text: str
    cure: str
