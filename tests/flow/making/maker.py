"""A maker of random records."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from farandole.projections.fold import Fold, Verdict
from farandole.schemas.envelope import Header

if TYPE_CHECKING:
    from flow.random_log import RandomLog


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes records of some kinds, that often fit and often do not.

    Attributes:
        make: the next record, of a log with this fold.
        weight: how often, compared with others.
        reaches: verdicts that these records bring about, and no others do.
    """

    make: "Callable[[RandomLog, Fold], tuple[bytes | None, bytes | None, list[Header]]]"
    weight: int
    reaches: frozenset[Verdict]
