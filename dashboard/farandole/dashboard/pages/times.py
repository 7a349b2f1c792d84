"""Times and durations as pages say them. Times are milliseconds since 1970 UTC."""

from datetime import UTC, datetime

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"))


def instant(ms: int) -> datetime:
    return datetime.fromtimestamp(min(ms, 253_402_300_799_000) / 1000, UTC)


def iso(ms: int) -> str:
    """For machines."""
    return instant(ms).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def exactly(ms: int) -> str:
    """A time in full, in UTC."""
    return instant(ms).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] + " UTC"


def relative(ms: int, now: int) -> str:
    """How long ago a time was, or how long it is until then."""
    seconds = (now - ms) / 1000
    if abs(seconds) < 1:
        return "now"
    return f"{_largest(seconds)} ago" if seconds > 0 else f"in {_largest(-seconds)}"


def _largest(seconds: float) -> str:
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{int(seconds / size)} {unit}"
    return f"{int(seconds)} s"


def span(ms: float) -> str:
    """A duration with the digits that matter: ``12 ms``, ``1.42 s``, ``3 min 20 s``."""
    seconds = max(ms, 0) / 1000
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds >= 10 else f"{seconds:.2f} s"
    for size, unit, part, of in ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "min")):
        if seconds >= size:
            return _of_two(int(seconds // size), unit, int(seconds % size // part), of)
    return _of_two(int(seconds // 60), "min", int(seconds % 60), "s")


def _of_two(large: int, unit: str, small: int, of: str) -> str:
    return f"{large} {unit} {small} {of}" if small else f"{large} {unit}"
