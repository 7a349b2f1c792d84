"""Which records belong together: section 6."""

from typing import Final

from .record import Head, Raw

_UNFINISHED: Final = 4


def frame(
    appends: dict[tuple[bytes, int], dict[int, tuple[Raw, Head]]], raw: Raw, head: Head
) -> dict[int, tuple[Raw, Head]] | None:
    """Put a record to those of its append; all of them once they are as many as the record says."""
    if head.count <= 1:
        return {0: (raw, head)}
    named = (head.append, head.count)
    held = appends.get(named)
    if held is None:
        held = appends[named] = {}
        if len(appends) > _UNFINISHED:
            del appends[next(iter(appends))]
    held.setdefault(head.index, (raw, head))
    return appends.pop(named) if len(held) == head.count else None
