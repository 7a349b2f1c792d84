"""Two runs side by side: where they first went apart, and what differs where they did the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Final, Literal

from .answers import RecordRow, RunRow

MOST: Final = 2_000
"""Events of each run that are compared."""
_MOST_FIELDS: Final = 200


@dataclass(frozen=True, slots=True)
class Difference:
    """An event of two runs, or of one of them."""

    kind: Literal["same", "changed", "only_a", "only_b"]
    a: RecordRow | None
    b: RecordRow | None
    fields: tuple[tuple[str, Any, Any], ...]
    """Path and both values of each field that differs."""


@dataclass(frozen=True, slots=True)
class RunDiff:
    """Two runs side by side."""

    a: RunRow
    b: RunRow
    events: tuple[Difference, ...]
    first: int | None
    """Which of these is the first that only one of them has; None: they did the same."""


def compare(a: RunRow, b: RunRow, events_a: Sequence[RecordRow], events_b: Sequence[RecordRow]) -> RunDiff:
    """Align the events of two runs by what they are and who emitted them, in their order.

    Args:
        events_a, events_b: their histories.
    """
    words_a, words_b = [_word(e) for e in events_a], [_word(e) for e in events_b]
    found: list[Difference] = []
    for op, a1, a2, b1, b2 in SequenceMatcher(None, words_a, words_b, autojunk=False).get_opcodes():
        if op == "equal":
            pairs = zip(events_a[a1:a2], events_b[b1:b2], strict=True)
            found += [
                Difference("same" if not (f := compare_payloads(x.payload, y.payload)) else "changed", x, y, f)
                for x, y in pairs
            ]
        else:
            found += [Difference("only_a", x, None, ()) for x in events_a[a1:a2]]
            found += [Difference("only_b", None, y, ()) for y in events_b[b1:b2]]
    first = next((n for n, each in enumerate(found) if each.kind in ("only_a", "only_b")), None)
    return RunDiff(a, b, tuple(found), first)


def compare_payloads(a: Any, b: Any) -> tuple[tuple[str, Any, Any], ...]:
    """The fields in which two payloads differ, by their paths, with both values."""
    found: list[tuple[str, Any, Any]] = []
    _fields(a, b, "", found)
    return tuple(found[:_MOST_FIELDS])


def _fields(a: Any, b: Any, path: str, found: list[tuple[str, Any, Any]]) -> None:
    if a == b and type(a) is type(b):
        return
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        for name in dict.fromkeys((*a, *b)):
            _fields(a.get(name), b.get(name), f"{path}.{name}" if path else str(name), found)
    elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for at, (x, y) in enumerate(zip(a, b, strict=True)):
            _fields(x, y, f"{path}[{at}]", found)
    else:
        found.append((path, a, b))


def _word(event: RecordRow) -> tuple[str, str]:
    return event.type, event.reactor
