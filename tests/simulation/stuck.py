"""What stands still in a calm world without a reason."""

from typing import TYPE_CHECKING

from farandole.projections.fold import Fold, Pair, Run

from .deployments import ORDERED

if TYPE_CHECKING:
    from .world import World


def stuck(world: "World") -> list[str]:
    """Each step that is owed to a reactor which somebody serves, and that nobody does."""
    return [
        f"partition {fold.partition}: {pair.reactor.decode()} of {pair.trigger.decode()} in {run.id.decode()} is owed "
        "and served, and nobody does it"
        for fold in (transcript.fold for transcript in world.log.transcripts)
        for run in fold.runs.values()
        for pair in run.owed.values()
        if not pair.parked and not run.paused and not _held_back(run, pair) and _served(world, fold, pair)
    ]


def _held_back(run: Run, pair: Pair) -> bool:
    """Whether a step of an ordered reactor is parked, behind which others wait."""
    return pair.reactor.decode() in ORDERED and any(
        other.parked and other.reactor == pair.reactor for other in run.owed.values()
    )


def _served(world: "World", fold: Fold, pair: Pair) -> bool:
    contract = fold.contracts.get(pair.reactor)
    if contract is None:
        return False
    for machine in world.alive():
        if machine.worker is not None:
            mine = machine.worker._mine.get(pair.reactor)
            if mine is not None and mine[1].shape == contract.shape:
                return True
    return False
