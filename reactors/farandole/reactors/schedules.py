"""A schedule as data, so that any keeper can publish its ticks."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from farandole.schemas import DeclarationError, Duration, Start, parse_duration
from farandole.schemas.durations import in_short

Overlap = Literal["skip", "allow", "queue", "replace"]
CatchUp = Literal["none", "last", "all"]

SECOND: Final = timedelta(seconds=1)
_FIELDS: Final[Mapping[str, tuple[int, str]]] = {
    "minute": (0, "0 to 59"),
    "hour": (1, "0 to 23"),
    "day-of-month": (2, "1 to 31, or L for the last"),
    "month": (3, "1 to 12, or JAN to DEC"),
    "day-of-week": (4, "0 to 7, or SUN to SAT"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Runs started by the clock. `ticking` says when.

    Attributes:
        name: unique in its choreography.
        start: the event that opens each run.
        cron: minute, hour, day of the month, month, day of the week, as Debian's cron reads them.
        every: the time from one tick to the next, instead of ``cron``.
        tz: the time zone in which ``cron`` is read.
        jitter: how much later than its tick a run is started at most; drawn from the tick, the same for every keeper.
        catch_up: which of the ticks that nobody published in time are made up for: ``none``, the ``last`` or ``all``.
        overlap: what becomes of a tick while the run of an earlier one is open: ``skip`` leaves it out, ``allow`` starts
            a second run, ``queue`` starts it when the last one is closed, ``replace`` cancels that one.
        first: there is no tick before; with ``every`` it is the first one.

    Raises:
        DeclarationError: it has no name, not one of ``cron`` and ``every``, or one of these cannot be read.
    """

    name: str
    start: Start
    cron: str | None = None
    every: timedelta | None = None
    tz: str = "UTC"
    jitter: timedelta = timedelta(0)
    catch_up: CatchUp = "last"
    overlap: Overlap = "skip"
    first: datetime | None = None

    @property
    def when(self) -> str:
        """When it ticks, in words."""
        if self.cron is None:
            return f"every {in_short(self.every or SECOND)}"
        return self.cron if self.tz == "UTC" else f"{self.cron} {self.tz}"

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.tz)

    def __post_init__(self) -> None:
        if not self.name or any(c.isspace() for c in self.name):
            raise DeclarationError(f"schedule name={self.name!r} is no name: one word, without spaces")
        try:
            self._check()
        except DeclarationError as e:
            raise DeclarationError(f"schedule '{self.name}': {e}") from e

    def _check(self) -> None:
        if (self.cron is None) == (self.every is None):
            raise DeclarationError('give either cron=, as "0 2 * * *", or every=, as "15m"')
        for option, value, known in (
            ("overlap", self.overlap, get_args(Overlap)),
            ("catch_up", self.catch_up, get_args(CatchUp)),
        ):
            if value not in known:
                raise DeclarationError(f"{option}={value!r} is none of {', '.join(known)}")
        if self.first is not None and self.first.tzinfo is None:
            raise DeclarationError("first= has no time zone; give one, as datetime(..., tzinfo=UTC)")
        try:
            zone = self.zone
        except (ZoneInfoNotFoundError, ValueError, OSError) as e:
            raise DeclarationError(
                f"time zone {self.tz!r} is not known here; write it as Europe/Paris, "
                "and install tzdata where the system has no time zones"
            ) from e
        if self.every is not None:
            _check_every(self.every, self.first, self.tz)
        if self.cron is not None:
            _check_cron(self.cron, zone)


def schedule_of(
    start: Start,
    *,
    name: str,
    cron: str | None,
    every: Duration | None,
    tz: str,
    jitter: Duration | None,
    catch_up: CatchUp,
    overlap: Overlap,
    first: datetime | None,
) -> Schedule:
    """A schedule from what is written at a choreography.

    Raises:
        DeclarationError: it cannot be read.
    """
    return Schedule(
        name=name,
        start=start,
        cron=cron,
        every=_duration(name, "every", every),
        tz=tz,
        jitter=_duration(name, "jitter", jitter) or timedelta(0),
        catch_up=catch_up,
        overlap=overlap,
        first=first,
    )


def _duration(name: str, option: str, value: Duration | None) -> timedelta | None:
    try:
        return None if value is None else parse_duration(value)
    except DeclarationError as e:
        raise DeclarationError(f"schedule '{name}': {option}=: {e}") from e


def _check_every(every: timedelta, first: datetime | None, tz: str) -> None:
    # The ids of runs name their tick to the second.
    if every < SECOND or every % SECOND:
        raise DeclarationError(f"every={in_short(every)} is not a whole number of seconds")
    if first is not None and first.microsecond:
        whole = first.replace(microsecond=0)
        raise DeclarationError(
            f"first={first.isoformat()} is between two seconds, and ticks are named by the second; give a whole one, as "
            f"first={whole.isoformat()} (first.replace(microsecond=0))"
        )
    if tz != "UTC":
        raise DeclarationError("tz= is the time zone of cron=; every= counts time as it passes, in no zone")


def _check_cron(cron: str, zone: ZoneInfo) -> None:
    fields = cron.split()
    if len(fields) != len(_FIELDS):
        raise DeclarationError(
            f'cron={cron!r} has not five fields; write minute, hour, day, month and day of the week, as "0 2 * * *"'
        )
    try:
        ahead = CronSim(cron, datetime(2000, 1, 1, tzinfo=UTC).astimezone(zone))
    except CronSimError as e:
        field = str(e).removeprefix("Bad ")
        if field not in _FIELDS:
            raise DeclarationError(f"cron={cron!r} cannot be read: {e}") from e
        at, may_be = _FIELDS[field]
        raise DeclarationError(
            f"cron={cron!r}: the {field.replace('-', ' ')} {fields[at]!r} cannot be; it is {may_be}, "
            "a list as 1,3, a range as 1-5, or steps as */2"
        ) from e
    if next(ahead, None) is None:
        raise DeclarationError(f"cron={cron!r} never ticks")
