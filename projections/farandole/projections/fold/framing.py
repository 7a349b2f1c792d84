"""Framing: the records of one append count when all of them are there, whatever came between them."""

from typing import Final, TypeVar

from farandole.schemas.envelope import Envelope

UNFINISHED: Final = 4
"""How many unfinished appends are kept side by side; the oldest goes first."""

T = TypeVar("T")
Frames = dict[tuple[bytes, int], dict[int, T]]
"""Parts by index, by append and count, oldest first. The order is state: it says which goes when there are too many."""


def collect(frames: Frames[T], e: Envelope, part: T) -> list[T] | None:
    """Add one part of an append and return all its parts in order, once none is missing.

    A part whose index is held already is ignored. What is kept is bounded by the records that came, never by a count
    that one of them claims. Parts that disagree about the count never make a whole: as every index is below its count,
    a frame with so many different ones has no gap.
    """
    if e.count <= 1:
        return [part]
    key = (e.append, e.count)
    frame = frames.get(key)
    if frame is None:
        frame = frames[key] = {}
        if len(frames) > UNFINISHED:
            del frames[next(iter(frames))]
    frame.setdefault(e.index, part)
    if len(frame) < e.count:
        return None
    del frames[key]
    return [part for _, part in sorted(frame.items())]
