"""Whether a series of samples rises: its slope, with the range in which the true one lies at 95 %."""

import random
from collections.abc import Sequence
from typing import NamedTuple


class Trend(NamedTuple):
    """A slope per unit of ``x``, and its 95 % interval."""

    slope: float
    low: float
    high: float


def trend(xs: Sequence[float], ys: Sequence[float], *, seed: int = 1, draws: int = 1000) -> Trend:
    """The least-squares slope; the interval from a bootstrap of blocks of residuals.

    Blocks, for the memory of a process moves in steps that last: samples one after the other are not independent, and
    the textbook interval would be far too narrow.
    """
    n = len(xs)
    slope, base = _fit(xs, ys)
    left = [y - (base + slope * x) for x, y in zip(xs, ys, strict=True)]
    block = max(1, round(n**0.5))
    chance = random.Random(seed)
    drawn = []
    for _ in range(draws):
        noise: list[float] = []
        while len(noise) < n:
            at = chance.randrange(n - block + 1)
            noise += left[at : at + block]
        drawn.append(_fit(xs, [base + slope * x + e for x, e in zip(xs, noise, strict=False)])[0])
    drawn.sort()
    return Trend(slope, drawn[int(draws * 0.025)], drawn[int(draws * 0.975) - 1])


def _fit(xs: Sequence[float], ys: Sequence[float]) -> tuple[float, float]:
    mx, my = sum(xs) / len(xs), sum(ys) / len(ys)
    spread = sum((x - mx) ** 2 for x in xs)
    slope = sum((x - mx) * (y - my) for x, y in zip(xs, ys, strict=True)) / spread
    return slope, my - slope * mx
