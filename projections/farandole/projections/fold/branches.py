"""Branches: where an event stands that a fan-out made, and when a branch has come to its end.

A branch counts how many pairs, timers, decisions, children and fan-outs stand in it. It has ended at the end of the
record with which that number came to 0.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from .applied import Applied
    from .fold import Fold
    from .run import Fact, Item, Join, Pair, Run


class Branch:
    """One branch of a fan-out."""

    __slots__ = ("fanout", "index", "joins", "last", "latest", "offset", "open", "type")

    def __init__(self, fanout: "FanOut", index: int, offset: int, type: bytes) -> None:
        self.fanout = fanout
        self.index = index
        """Its place in the fan-out."""
        self.offset = offset
        """Offset of what it began with."""
        self.type = type
        """Wire name of what it began with."""
        self.open = 0
        """How many things stand in it; -1: it has ended."""
        self.joins: dict[bytes, Join] | None = None
        """Half-full joins by reactor."""
        self.latest: dict[bytes, Fact] | None = None
        """The latest event of each type that joins in branches below look for."""
        self.last: dict[bytes, tuple[int, int]] | None = None
        """Where an event of each type that drops timers last came."""


class FanOut:
    """An outcome that is a list, as long as one of its branches is open."""

    __slots__ = ("branch", "branches", "gatherings", "id", "inputs", "live", "types", "width")

    def __init__(
        self,
        id: bytes,
        types: tuple[bytes, ...],
        width: int,
        inputs: tuple[int, ...],
        branch: Branch | None,
    ) -> None:
        self.id = id
        """Id of the first record of its outcome."""
        self.types = types
        """Wire names that its branches may begin with."""
        self.width = width
        self.inputs = inputs
        """Offsets of what the step took that fanned out."""
        self.branch = branch
        """The branch that it stands in; None: the root."""
        self.branches: list[Branch] = []
        self.live = width
        """How many of its branches have not ended."""
        self.gatherings: list[Gathering] | None = None


class Gift(NamedTuple):
    """What a branch gave to a fan-in."""

    offsets: tuple[int, ...]
    types: tuple[bytes, ...]
    hops: int


class Gathering:
    """A fan-in of one fan-out that has not fired yet."""

    __slots__ = ("due", "events", "failures", "fanout", "got", "need", "reactor", "settled")

    def __init__(
        self,
        reactor: bytes,
        fanout: FanOut,
        events: frozenset[bytes],
        failures: frozenset[bytes] | None,
        need: int,
        due: int,
    ) -> None:
        self.reactor = reactor
        self.fanout = fanout
        self.events = events
        self.failures = failures
        """Types of what a failed step took, whose failure is a gift too; empty: any, None: failures are none."""
        self.got: dict[int, Gift] = {}
        """By the index of the branch."""
        self.settled = 0
        """How many branches gave, or ended without."""
        self.need = need
        """How many gifts are enough; 0: those of all branches."""
        self.due = due
        """Log time at which what is there is enough; 0: never."""


def fan_out(
    fold: "Fold", run: "Run", pair: "Pair", first: "Item", parts: "Sequence[Fact]", out: "Applied"
) -> Sequence[Branch]:
    """Give each part of a fan-out a branch of its own, held once; the caller leaves them when all parts have taken effect.

    Args:
        first: the first record of the outcome, which is no part of a fan-out of none.
    """
    return ()


def hold(branch: Branch) -> None:
    """One thing more stands in the branch."""


def leave(fold: "Fold", run: "Run", branch: Branch, out: "Applied") -> None:
    """One thing less stands in the branch; if it was the last, the branch may end with this record."""


def end(fold: "Fold", out: "Applied") -> None:
    """End the branches that are empty now that all of the record has taken effect, the deepest first."""


def forget(run: "Run") -> None:
    """Let go of all branches of a run whose owed pairs were dropped: what is left of them has ended."""
