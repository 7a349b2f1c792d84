"""Rounds: what is compared takes turns, so that what else the machine does disturbs all alike."""

import statistics
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def rotated(items: Sequence[T], n: int) -> list[T]:
    """The order of round ``n``: each of them is first in its turn."""
    at = n % len(items)
    return [*items[at:], *items[:at]]


def medians(rounds: Sequence[dict[str, float]]) -> dict[str, float]:
    """The median of each figure."""
    return {key: statistics.median(r[key] for r in rounds) for key in rounds[0]}


def spread(rounds: Sequence[dict[str, float]]) -> dict[str, list[float]]:
    """The least and the most of each figure."""
    return {key: [min(r[key] for r in rounds), max(r[key] for r in rounds)] for key in rounds[0]}
