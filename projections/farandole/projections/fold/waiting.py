"""What a run waits for that nobody owes: the missing parts of its joins, or a signal from outside."""

from collections.abc import Iterator
from dataclasses import dataclass

from .branches import Branch
from .contracts import Contract
from .fold import Fold
from .leading import latest
from .run import Join, Run, RunState


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
    for branch, reactor, queues in _half_full(run):
        contract = fold.contracts.get(reactor)
        if contract is not None and contract.active:
            found += [
                _awaited(contract, types)
                for queue, types in zip(queues, contract.takes, strict=False)
                if not queue and (branch is None or latest(run, branch, types) is None)
            ]
    if found or run.owed:
        return tuple(dict.fromkeys(found))
    return tuple(
        _awaited(contract, types)
        for contract in fold.contracts
        if contract.active and contract.signals and len(contract.takes) == 1
        for types in contract.takes
    )


def _half_full(run: Run) -> Iterator[tuple[Branch | None, bytes, Join]]:
    for reactor, queues in (run.joins or {}).items():
        yield None, reactor, queues
    lacking = run.pending.lacking if run.pending is not None else None
    for reactor, branches in (lacking or {}).items():
        for branch in branches:
            if branch.joins is not None:
                yield branch, reactor, branch.joins[reactor]


def _awaited(contract: Contract, types: frozenset[bytes]) -> Awaited:
    names = tuple(sorted(t.decode() for t in types))
    return Awaited(contract.reactor.decode(), names, set(names) <= set(contract.content.get("signals", ())))
