"""How steps are compensated: a function of its own, given what the step took and emitted."""

from collections.abc import Mapping, Sequence
from typing import Any

from farandole.projections.fold import Pair
from farandole.schemas import EventTypes

from .plan import Plan
from .reactor import Reactor
from .stats import ReactorStats


class UndoPlan(Plan):
    """What every attempt to undo a step of one reactor has in common.

    Args:
        reactor: what compensates.
        of: how the steps that it undoes are attempted.
    """

    __slots__ = ("_emitted", "_of")

    def __init__(
        self, reactor: Reactor, types: EventTypes, stats: ReactorStats, provided: Mapping[str, Any], of: Plan
    ) -> None:
        super().__init__(reactor, types, stats, provided)
        self.simple = None
        self._of = of
        self._emitted = [taken & of.gives for taken in self._takes]
        """Of each parameter, the types of events that a step may emit."""

    def fits(self, pair: Pair) -> bool:
        """Whether the step was one of the reactor as it is now: then what it lacks, it never had."""
        return pair.undoes and self._of.began(pair.types)

    def places(self, pair: Pair) -> Sequence[int] | None:
        """Which input goes into which parameter, of several the last; None if the step did not what would be undone.

        An event of a type that the reactor emits is one that it emitted: what it took was made by another step.
        """
        first = self._of.taken
        found = []
        for taken, emitted in zip(self._takes, self._emitted, strict=True):
            fitting = [
                n for n, type in enumerate(pair.types) if type in taken and (n >= first or type not in emitted)
            ]  # fmt: skip
            if not fitting:
                return None
            found.append(fitting[-1])
        return found
