"""A schedule as data, so that any keeper can publish its ticks."""

from dataclasses import dataclass
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from farandole.schemas import DeclarationError, Start

Overlap = Literal["skip", "allow"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Runs started by the clock.

    Attributes:
        name: unique in its choreography.
        start: the event that opens each run.
        cron: minute, hour, day of the month, month, day of the week.
        tz: the time zone in which ``cron`` is read.
        overlap: what happens to a tick while the run of the last one is open.

    Raises:
        DeclarationError: it has no name, or cron or time zone cannot be read.
    """

    name: str
    start: Start
    cron: str
    tz: str = "UTC"
    overlap: Overlap = "skip"

    @property
    def when(self) -> str:
        """When it ticks, in words."""
        return self.cron if self.tz == "UTC" else f"{self.cron} {self.tz}"

    def __post_init__(self) -> None:
        if not self.name or any(c.isspace() for c in self.name):
            raise DeclarationError(f"schedule name={self.name!r} is no name: one word, without spaces")
        if len(self.cron.split()) != 5:
            raise DeclarationError(
                f"schedule '{self.name}': cron={self.cron!r} has not five fields; write minute, hour, day, month and "
                'day of the week, as "0 2 * * *"'
            )
        try:
            ZoneInfo(self.tz)
        except (ZoneInfoNotFoundError, ValueError, OSError) as e:
            raise DeclarationError(
                f"schedule '{self.name}': time zone {self.tz!r} is not known here; write it as Europe/Paris, "
                "and install tzdata where the system has no time zones"
            ) from e
