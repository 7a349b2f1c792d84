"""What must have come of a step that keeps the event loop of each worker that takes it from running, by the log and by
what workers noted.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from checker.record import Head, Kind, Raw
from checker.verdict import Verdict

from .ledger import Note

FEW: Final = 4
"""Healthy steps that a worker may have claimed beside one that kills it (docs/long-steps.md)."""
_TAKEN: Final = (Verdict.ADMITTED, Verdict.HELD)

Judged = tuple[Raw, Head | None, Verdict]


class Lost(NamedTuple):
    """A worker that was said to be lost at a step."""

    run: str
    holder: bytes
    at: int
    """Milliseconds since 1970 UTC, by the log."""


def losses(records: Iterable[Judged]) -> list[Lost]:
    """All that were admitted, in the order of the log."""
    return [
        Lost((raw.key or b"").decode(), head.extra, raw.time)
        for raw, head, verdict in records
        if head is not None and head.kind == Kind.LOST and verdict in _TAKEN
    ]


def wrong_losses(lost: Sequence[Lost], blocks: Sequence[Note], run: str, most: int) -> Iterator[str]:
    """One line for what is wrong about the workers that were lost.

    Args:
        lost: see `losses`.
        blocks: each time that the step blocked a worker, until it was parked.
        run: the step's.
        most: after how many losses it is to be parked.
    """
    own = [each for each in lost if each.run == run]
    if len(own) != most:
        yield f"{len(own)} workers were said to be lost at the step, and it is to be parked after {most}"
    if len({each.holder for each in own}) != len(own):
        yield "a worker was said to be lost twice at the step"
    # The first one had it before anybody knew that it needs a claim.
    if len(blocks) not in (most, most + 1):
        yield f"the step blocked {len(blocks)} workers, and it is to be parked after {most} losses"
    if again := len(blocks) - len({note.pid for note in blocks}):
        yield f"the step came {again} times to a worker that it had blocked"
    others = {each.run for each in lost} - {run}
    if len(others) > FEW * len(blocks):
        yield f"{len(others)} healthy steps were lost along, with {len(blocks)} workers that had {FEW} at most"
