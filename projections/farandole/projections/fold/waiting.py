"""What a run waits for that nobody owes: the missing parts of its joins, or a signal from outside."""

from dataclasses import dataclass

from .contracts import Contract
from .fold import Fold
from .run import Run, RunState


@dataclass(frozen=True, slots=True)
class Awaited:
    """An event without which a reactor cannot go on."""

    reactor: str
    types: tuple[str, ...]
    """Wire names, any of which would do."""
    signal: bool
    """Whether it can only come from outside."""


def awaited(fold: Fold, run: Run) -> tuple[Awaited, ...]:
    """What could move a run on: what its half-full joins lack; if it owes and joins nothing, the signals taken."""
    if run.state is not RunState.OPEN:
        return ()
    found = []
    for reactor, queues in (run.joins or {}).items():
        contract = fold.contracts.get(reactor)
        if contract is not None and contract.active:
            found += [
                _awaited(contract, types) for queue, types in zip(queues, contract.takes, strict=False) if not queue
            ]
    if found or run.owed:
        return tuple(found)
    return tuple(
        _awaited(contract, types)
        for contract in fold.contracts
        if contract.active and contract.signals and len(contract.takes) == 1
        for types in contract.takes
    )


def _awaited(contract: Contract, types: frozenset[bytes]) -> Awaited:
    names = tuple(sorted(t.decode() for t in types))
    return Awaited(contract.reactor.decode(), names, set(names) <= set(contract.content.get("signals", ())))
