"""What an end undoes: a stack of outcomes, unwound one at a time, the last first.

The stack has no bound: an outcome is never refused, and to forget one would leave undone what a person counts on.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .pairs import limit
from .pending import UNDO, Undo
from .run import Item, Pair

if TYPE_CHECKING:
    from .applied import Applied
    from .fold import Fold
    from .run import Fact, Run


def remember(fold: "Fold", run: "Run", pair: Pair, outcome: bytes, parts: "Sequence[Fact]") -> None:
    """An outcome was admitted while some contract compensates; it is undone if its reactor's does.

    Args:
        outcome: the id of its first record.
    """
    contract = fold.contracts.get(pair.reactor)
    if contract is None or not contract.compensates or pair.undoes:
        return
    emitted = [part for part in parts if type(part) is not Item or part.is_event]
    taken = pair.inputs[len(pair.inputs) - len(pair.types) :]
    inputs = (*taken, *(part.offset for part in emitted))
    types = (*pair.types, *(part.type for part in emitted))
    pending = run.pend()
    if pending.stack is None:
        pending.stack = []
    pending.stack.append(Undo(outcome, pair.reactor, inputs, types, pair.hops))


def begin(run: "Run") -> None:
    """The run has a result that undoes what it did, as soon as it owes nothing else."""
    run.pend().undo = True


def give_up(run: "Run") -> None:
    """Nothing of the run is undone any more."""
    if run.pending is not None:
        run.pending.undo, run.pending.stack = False, None


def unwind(fold: "Fold", run: "Run", out: "Applied") -> bool:
    """Owe the next compensation of an ending run that owes nothing else; False if there is none."""
    pending = run.pending
    if pending is None or not pending.undo or not pending.stack:
        return False
    undo = pending.stack.pop()
    pair = Pair(
        undo.outcome, undo.reactor, UNDO, undo.inputs, undo.types, fold.log_time, undo.hops, at=out.offset
    )  # fmt: skip
    run.owed[pair.key] = pair
    out.owed.append((run, pair))
    limit(run, pair, fold.contracts.get(undo.reactor), out)
    return True


def retire(run: "Run", reactor: bytes) -> None:
    """What a retired reactor did is not undone any more."""
    if run.pending is not None and run.pending.stack is not None:
        run.pending.stack = [undo for undo in run.pending.stack if undo.reactor != reactor]


def rename(run: "Run", former: bytes, reactor: bytes) -> None:
    """What a reactor did is undone under another name."""
    if run.pending is not None and run.pending.stack is not None:
        run.pending.stack = [
            undo._replace(reactor=reactor) if undo.reactor == former else undo for undo in run.pending.stack
        ]
