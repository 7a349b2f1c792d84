"""Fan-ins: what the branches of a fan-out give, until each has given or ended without."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .applied import Applied
    from .contracts import Contract
    from .fold import Fold
    from .run import Fact, Pair, Run


def give(fold: "Fold", run: "Run", fact: "Fact", out: "Applied") -> None:
    """An event was admitted that stands in a branch."""


def catch(fold: "Fold", run: "Run", failed: "Pair", failure: "Fact", out: "Applied") -> bool:
    """A step of a branch has failed for good; whether a fan-in takes that for what the branch gives."""
    return False


def begin(fold: "Fold", contract: "Contract", out: "Applied") -> None:
    """A fan-in's first contract came into force: gather what the fan-outs that there are have given so far."""


def retire(fold: "Fold", run: "Run", reactor: bytes, out: "Applied") -> None:
    """What a retired reactor gathered is let go, and what its joins in branches hold."""


def rename(run: "Run", former: bytes, reactor: bytes) -> None:
    """What a reactor gathered, and what its joins in branches hold, goes on under another name."""


def reshape(fold: "Fold", run: "Run", contract: "Contract", out: "Applied") -> None:
    """What a reactor gathered, and what its joins in branches hold, goes on under the new parameters."""
