"""Durations as people write them: ``"10m"``, ``"1h30m"``, ``"250ms"``."""

import math
import re
from datetime import timedelta
from typing import Final

from .errors import DeclarationError

Duration = str | int | float | timedelta
"""What stands for a duration wherever one is asked for: text, seconds as a number, or a `timedelta`."""

_MICROSECONDS: Final = {
    "us": 1,
    "ms": 1_000,
    "s": 1_000_000,
    "m": 60_000_000,
    "h": 3_600_000_000,
    "d": 86_400_000_000,
    "w": 604_800_000_000,
}
_PART: Final = re.compile(r"(\d{1,12})(us|ms|s|m|h|d|w)")
_CURE: Final = 'write "250ms", "30s", "10m", "1h30m", "2d", seconds as a number, or a timedelta'


def parse_duration(duration: Duration) -> timedelta:
    """A duration, never negative.

    Args:
        duration: whole numbers with a unit each (``us ms s m h d w``), one after the other; or seconds as a number; or
            a `timedelta`, which is returned as it is.

    Raises:
        DeclarationError: it is none of these, or negative, or too long for a `timedelta`.
    """
    try:
        found = _read(duration)
    except OverflowError as e:
        raise DeclarationError(f"duration {duration!r} is too long; {_CURE}") from e
    if found < timedelta(0):
        raise DeclarationError(f"duration {duration!r} is negative; {_CURE}")
    return found


def _read(duration: Duration) -> timedelta:
    if isinstance(duration, timedelta):
        return duration
    if isinstance(duration, str):
        text = duration.strip()
        parts = _PART.findall(text)
        if not parts or "".join(n + unit for n, unit in parts) != text:
            raise DeclarationError(f"duration {duration!r} cannot be read; {_CURE}")
        return timedelta(microseconds=sum(int(n) * _MICROSECONDS[unit] for n, unit in parts))
    if isinstance(duration, bool) or not isinstance(duration, int | float) or not math.isfinite(duration):
        raise DeclarationError(f"duration {duration!r} cannot be read; {_CURE}")
    return timedelta(seconds=duration)


def in_short(time: timedelta) -> str:
    """A duration as `parse_duration` reads it, to the millisecond, such as ``1h30m``."""
    left = time // timedelta(milliseconds=1)
    said = ""
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)):
        n, left = divmod(left, size)
        said += f"{n}{unit}" if n else ""
    return said or "0s"
