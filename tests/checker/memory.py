"""What a partition remembers: ids of closed runs and of commands. Sections 5 and 6."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class _Bucket:
    first: int
    last: int
    ids: set[bytes] = field(default_factory=set)


class ClosedRuns:
    """Ids of closed runs, in buckets of log time. The ids themselves, for a checker has room."""

    def __init__(self) -> None:
        self._buckets: list[_Bucket] = []

    def add(self, key: bytes, log_time: int, window: int, most: int) -> None:
        current = self._buckets[-1] if self._buckets else None
        if current is None or log_time - current.first >= window // 24 or len(current.ids) >= max(most // 24, 1):
            current = _Bucket(log_time, log_time)
            self._buckets.append(current)
        current.ids.add(key)
        current.last = log_time
        while sum(len(b.ids) for b in self._buckets) > most:
            del self._buckets[0]

    def forget(self, log_time: int, window: int) -> None:
        """Drop buckets that are too old."""
        self._buckets = [b for b in self._buckets if log_time - b.last <= window]

    def __contains__(self, key: bytes) -> bool:
        return any(key in bucket.ids for bucket in self._buckets)


class Commands:
    """Ids of admitted commands, until log time passes their `not_after`."""

    def __init__(self) -> None:
        self._until: dict[bytes, int] = {}

    def add(self, id: bytes, not_after: int) -> None:
        self._until[id] = not_after

    def holds(self, id: bytes, log_time: int) -> bool:
        return log_time <= self._until.get(id, -1)
