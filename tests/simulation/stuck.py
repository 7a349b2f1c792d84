"""What stands still in a calm world without a reason."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from farandole.projections.fold import Fold, Pair, Run

if TYPE_CHECKING:
    from .world import World

PATIENCE = 8_000
"""Milliseconds after which the last of three keepers has acted."""


def stuck(world: "World") -> list[str]:
    """What keepers left undone, and each step that is owed to a reactor which somebody serves, and that nobody does."""
    of_dances = (problem for dance in world.dances if dance.stuck is not None for problem in dance.stuck(world))
    return [*_steps(world), *_unkept(world), *of_dances]


def _unkept(world: "World") -> Iterator[str]:
    for transcript in world.log.transcripts:
        fold, partition = transcript.fold, transcript.fold.partition
        for line in transcript.lines:
            if line.envelope is None and (partition, line.record.offset) not in world.log.rejected:
                yield f"partition {partition}: nobody copied offset {line.record.offset}, which cannot be read"
        after = fold.settings.expire_after
        for run in fold.runs.values():
            if after and world.time() - run.touched > after + PATIENCE and fold.idle_or_failed(run):
                yield f"partition {partition}: {run.id.decode()} should have expired, and nobody closed it"


def _steps(world: "World") -> list[str]:
    return [
        f"partition {fold.partition}: {pair.reactor.decode()} of {pair.trigger.decode()} in {run.id.decode()} is owed "
        "and served, and nobody does it"
        for fold in (transcript.fold for transcript in world.log.transcripts)
        for run in fold.runs.values()
        for pair in run.owed.values()
        if not pair.parked
        and not run.paused
        and not fold.stops(pair.reactor)
        and not _held_back(world, run, pair)
        and _served(world, fold, pair)
    ]


def _held_back(world: "World", run: Run, pair: Pair) -> bool:
    """Whether a step of an ordered reactor is parked, behind which others wait."""
    return pair.reactor.decode() in world.repertoire.ordered and any(
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
                # Who has the reactor without what compensates it leaves that to who published the contract.
                return not (pair.undoes and contract.compensates and mine[0].undo is None)
    return False
