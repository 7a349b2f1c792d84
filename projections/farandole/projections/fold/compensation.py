"""What an end undoes: a stack of outcomes, unwound one at a time, the last first."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .applied import Applied
    from .fold import Fold
    from .run import Fact, Pair, Run


def remember(fold: "Fold", run: "Run", pair: "Pair", outcome: bytes, parts: "Sequence[Fact]") -> None:
    """An outcome was admitted while some contract compensates.

    Args:
        outcome: the id of its first record.
    """


def unwind(fold: "Fold", run: "Run", out: "Applied") -> bool:
    """Owe the next compensation of an ending run that owes nothing else; False if there is none."""
    return False


def retire(run: "Run", reactor: bytes) -> None:
    """What a retired reactor did is not undone any more."""


def rename(run: "Run", former: bytes, reactor: bytes) -> None:
    """What a reactor did is undone under another name."""
