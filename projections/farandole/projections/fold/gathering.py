"""Fan-ins: what the branches of a fan-out give, until each has given or ended without."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .branches import FAILURE, NOTHING, Branch, FanOut, Gathering, Gift, gather, settle

if TYPE_CHECKING:
    from .applied import Applied
    from .contracts import Contract
    from .fold import Fold
    from .run import Fact, Pair, Run


def give(fold: "Fold", run: "Run", fact: "Fact", out: "Applied") -> None:
    """An event was admitted that stands in a branch: the branch gives it, if it is the first of those wanted."""
    branch = fact.branch
    if branch is None or branch.fanout.gatherings is None or fact.hops > fold.settings.drain:
        return
    for gathering in tuple(branch.fanout.gatherings):
        if fact.type in gathering.events and _put(gathering, branch, _gift(fact)):
            settle(fold, run, gathering, out)


def catch(fold: "Fold", run: "Run", failed: "Pair", failure: "Fact", out: "Applied") -> bool:
    """A step of a branch has failed for good; whether a fan-in takes that for what the branch gives."""
    branch = failed.branch
    caught = False
    for gathering in tuple(branch.fanout.gatherings or ()) if branch is not None else ():
        contract = fold.contracts.get(gathering.reactor)
        if contract is not None and contract.of and failed.reactor not in contract.of:
            continue
        about = _about(gathering, failed)
        if about is None:
            continue
        offset, type = about
        gift = Gift((failure.offset, offset), (FAILURE, type), failure.hops)
        if branch is not None and _put(gathering, branch, gift):
            caught = True
            settle(fold, run, gathering, out)
    return caught


def begin(fold: "Fold", contracts: "Sequence[Contract]", out: "Applied") -> None:
    """The first contracts of fan-ins came into force: gather what the fan-outs that there are have given so far."""
    for run in fold.runs.values():
        if run.pending is None or not run.pending.fanouts:
            continue
        fanouts = tuple(run.pending.fanouts.values())
        kept: dict[FanOut, list[Fact]] = {}
        for event in run.kept or ():
            if event.branch is not None and event.hops <= fold.settings.drain:
                kept.setdefault(event.branch.fanout, []).append(event)
        begun: list[Gathering] = []
        for fanout in fanouts:
            for contract in contracts:
                gathering = gather(fold, run, fanout, contract, out)
                if gathering is not None:
                    _catch_up(gathering, kept.get(fanout, ()))
                    begun.append(gathering)
        # What an inner one is owed for stands in a branch of an outer one, which is thereby open again.
        for gathering in sorted(begun, key=lambda gathering: -_depth(gathering.fanout)):
            settle(fold, run, gathering, out)


def _depth(fanout: FanOut) -> int:
    """In how many fan-outs it stands."""
    depth, branch = 0, fanout.branch
    while branch is not None:
        depth, branch = depth + 1, branch.fanout.branch
    return depth


def _catch_up(gathering: Gathering, kept: "Sequence[Fact]") -> None:
    gathering.settled = sum(branch.open < 0 for branch in gathering.fanout.branches)
    for event in kept:
        if event.branch is not None and event.type in gathering.events:
            _put(gathering, event.branch, _gift(event))


def retire(run: "Run", reactor: bytes) -> None:
    """What a retired reactor gathered is let go."""
    for gathering in _of(run, reactor):
        _drop(gathering)


def rename(run: "Run", former: bytes, reactor: bytes) -> None:
    """What a reactor gathered goes on under another name."""
    for gathering in _of(run, former):
        gathering.reactor = reactor


def reshape(run: "Run", contract: "Contract") -> None:
    """What a reactor gathered goes on under the new parameters, without what they do not take."""
    for gathering in _of(run, contract.reactor):
        if contract.form != "list":
            _drop(gathering)
            continue
        gathering.events, gathering.failures = contract.elements, contract.failures
        for index, gift in tuple(gathering.got.items()):
            if not _takes(gathering, gift):
                del gathering.got[index]
                if gathering.fanout.branches[index].open >= 0:
                    gathering.settled -= 1


def _gift(fact: "Fact") -> Gift:
    return Gift((fact.offset,), (fact.type,), fact.hops)


def _put(gathering: Gathering, branch: Branch, gift: Gift) -> bool:
    """Keep what a branch gives first; False if it gave already."""
    if branch.index in gathering.got:
        return False
    gathering.got[branch.index] = gift
    if branch.open >= 0:
        gathering.settled += 1
    return True


def _about(gathering: Gathering, failed: "Pair") -> tuple[int, bytes] | None:
    """What a failure is about that a fan-in takes: offset and type of the first input that is meant."""
    wanted = gathering.failures
    if wanted is None:
        return None
    for offset, type in zip(failed.inputs, failed.types, strict=False):
        if type in wanted or (not wanted and type != NOTHING):
            return offset, type
    return None if wanted else (failed.inputs[-1], NOTHING)


def _takes(gathering: Gathering, gift: Gift) -> bool:
    if gift.types[0] != FAILURE:
        return gift.types[0] in gathering.events
    wanted = gathering.failures
    return wanted is not None and (not wanted or gift.types[1] in wanted)


def _of(run: "Run", reactor: bytes) -> "Sequence[Gathering]":
    fanouts = run.pending.fanouts if run.pending is not None else None
    return [g for fanout in (fanouts or {}).values() for g in fanout.gatherings or () if g.reactor == reactor]


def _drop(gathering: Gathering) -> None:
    if gathering.fanout.gatherings is not None:
        gathering.fanout.gatherings.remove(gathering)
