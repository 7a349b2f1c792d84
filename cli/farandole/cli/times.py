"""Times and durations as people say them."""

from datetime import UTC, datetime


def ago(then: int, now: int) -> str:
    """How long ago a time was; both in milliseconds since 1970 UTC."""
    seconds = (now - then) / 1000
    return "now" if seconds < 1 else f"{span(seconds)} ago"


def span(seconds: float) -> str:
    """A duration in its largest unit, such as ``3 s`` or ``2 d``."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def exact(seconds: float) -> str:
    """A duration with the digits that matter, such as ``12 ms``, ``1.42 s`` or ``3 min 20 s``."""
    if seconds < 0.9995:
        return f"{max(seconds, 0) * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.2f} s"
    for size, unit, part, of in ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "min")):
        if seconds >= size:
            return _of_two(int(seconds // size), unit, int(seconds % size // part), of)
    return _of_two(int(seconds // 60), "min", round(seconds % 60), "s")


def _of_two(large: int, unit: str, small: int, of: str) -> str:
    return f"{large} {unit} {small} {of}" if small else f"{large} {unit}"


def instant(millis: int) -> datetime:
    """A log time as an instant, in UTC."""
    return datetime.fromtimestamp(millis / 1000, UTC)


def clock(millis: int) -> str:
    """A log time as the local time of day."""
    return instant(millis).astimezone().strftime("%H:%M:%S")


def date(millis: int) -> str:
    """A log time in full, in UTC."""
    return instant(millis).strftime("%Y-%m-%d %H:%M:%S UTC")
