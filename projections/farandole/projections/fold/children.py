"""Child runs: how one is born, and what parent and child tell each other."""

from typing import TYPE_CHECKING

from farandole.schemas.envelope import Envelope

from .pending import Parent

if TYPE_CHECKING:
    from .applied import Applied
    from .fold import Fold
    from .run import Fact, Item, Run


def parent_of(e: Envelope) -> Parent | None:
    """Who bore the run that this start opens, as its ``extra`` says; None if that cannot be read."""
    return None


def bear(fold: "Fold", run: "Run", item: "Item", out: "Applied") -> None:
    """An open run has a child, whose start is owed to its partition."""


def part(fold: "Fold", run: "Run", out: "Applied") -> None:
    """The run has its result: its children are cancelled, those excepted that go their own way."""


def tell(fold: "Fold", run: "Run", out: "Applied") -> None:
    """Owe the run's parent the news of its result."""


def tell_of_parking(fold: "Fold", run: "Run", failure: "Fact", out: "Applied") -> None:
    """Owe the run's parent the news that a step is parked."""
