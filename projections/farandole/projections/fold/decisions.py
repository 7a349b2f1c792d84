"""Questions to people that an outcome asks."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .applied import Applied
    from .fold import Fold
    from .run import Item, Run


def ask(fold: "Fold", run: "Run", item: "Item", out: "Applied") -> None:
    """Make a decision of an open run pending."""


def unless_answered(fold: "Fold", run: "Run", item: "Item", out: "Applied") -> None:
    """What the decision right before it becomes if nobody answers in time."""
