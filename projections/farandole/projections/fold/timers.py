"""Timers that an outcome sets, and what drops them before they fire."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .applied import Applied
    from .fold import Fold
    from .run import Fact, Item, Pair, Run


def arm(fold: "Fold", run: "Run", pair: "Pair", item: "Item", out: "Applied") -> None:
    """Set a timer of an open run.

    Args:
        pair: the one whose outcome sets it.
    """


def pass_by(fold: "Fold", run: "Run", fact: "Fact", out: "Applied") -> None:
    """An event was admitted of a type that drops timers."""
