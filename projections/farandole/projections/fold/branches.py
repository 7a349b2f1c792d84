"""Branches: where an event stands that a fan-out made, when a branch has come to its end, and when a fan-in has all.

A branch counts how many pairs, timers, decisions, children and fan-outs stand in it. It has ended at the end of a
record that leaves that number at 0, and for as long as it is 0: what is owed in it again opens it again.
"""

from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING, Final, NamedTuple

from farandole.schemas.envelope import Flag, Kind

from .leading import Coming
from .pending import StepDeadline
from .run import Fact, Item, Join, Pair, Run, RunState

if TYPE_CHECKING:
    from .applied import Applied
    from .contracts import Contract
    from .fold import Fold

FAILURE: Final = b"farandole.Failure"
"""In the types of what a fan-in is owed for: a failure stands here, and what it is about is next."""
NOTHING: Final = b"farandole.Nothing"
"""In the types of what a fan-in is owed for: what the step took that fanned out, where no branch gave anything."""
_OF_STEPS: Final = frozenset((Kind.OUTCOME, Kind.FAILURE, Kind.CLAIM, Kind.LOST, Kind.PROGRESS, Kind.SUBSTEP))
"""Kinds of records that change nothing but a step, and what follows from it."""
_NO_EVENT: Final = int(Flag.AFTER | Flag.ASK | Flag.CHILD)
_OTHERWISE: Final = int(Flag.AFTER | Flag.ASK)


class Branch:
    """One branch of a fan-out."""

    __slots__ = ("fanout", "forks", "index", "joins", "last", "latest", "offset", "open", "type")

    def __init__(self, fanout: "FanOut", index: int, offset: int, type: bytes) -> None:
        self.fanout = fanout
        self.index = index
        """Its place in the fan-out."""
        self.offset = offset
        """Offset of the event that it began with; if that was none, of the last that the step took which fanned out."""
        self.type = type
        """Wire name of what it began with."""
        self.open = 0
        """How many things stand in it; -1: it has ended."""
        self.forks = False
        """Whether a fan-out was ever made in it."""
        self.joins: dict[bytes, Join] | None = None
        """Half-full joins by reactor."""
        self.latest: dict[bytes, Fact] | None = None
        """The latest event of each type that joins in branches below look for."""
        self.last: dict[bytes, tuple[int, int]] | None = None
        """Where an event of each type that drops timers last came."""


class FanOut:
    """An outcome that is a list, for as long as one of its branches is open; while the log settles, its run."""

    __slots__ = ("branch", "branches", "gatherings", "hops", "id", "inputs", "live", "run", "types", "width")

    def __init__(
        self,
        run: Run,
        id: bytes,
        types: tuple[bytes, ...],
        width: int,
        inputs: tuple[int, ...],
        hops: int,
        branch: Branch | None,
    ) -> None:
        self.run = run
        self.id = id
        """Id of the first record of its outcome."""
        self.types = types
        """Wire names that its branches may begin with."""
        self.width = width
        self.inputs = inputs
        """Offsets of what the step took that fanned out."""
        self.hops = hops
        """How many outcomes lie between the run's End and what it began its branches with."""
        self.branch = branch
        """The branch that it stands in; None: the root."""
        self.branches: list[Branch] = []
        self.live = width
        """How many of its branches have not ended."""
        self.gatherings: list[Gathering] | None = None


class Waiting:
    """Branches of one fan-out in which nothing stands but joins: held, if those can be completed from around them."""

    __slots__ = ("around", "branches")

    def __init__(self, around: frozenset[bytes]) -> None:
        self.around = around
        """What could come around them when they were last looked at."""
        self.branches: dict[Branch, None] = {}


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
        """How many branches gave, or have ended without."""
        self.need = need
        """How many gifts are enough; 0: those of all branches."""
        self.due = due
        """Log time at which what is there is enough; 0: never."""


def fan_out(fold: "Fold", run: Run, pair: Pair, first: Item, parts: Sequence[Fact], out: "Applied") -> Sequence[Branch]:
    """Give each part of a fan-out a branch of its own, held once; the caller leaves them when all parts have taken effect.

    Args:
        first: the first record of the outcome, which is no part of a fan-out of none.
    """
    types = tuple(fold.intern(name) for name in first.types.split(b"\0") if name)
    hops = 0 if run.state is RunState.OPEN else pair.hops + 1
    fanout = FanOut(run, first.id, types, 0, pair.inputs, hops, pair.branch)
    branches = fanout.branches
    for part in parts:
        # What a decision becomes if nobody answers stands with the decision.
        if not branches or part.flags & _OTHERWISE != _OTHERWISE:
            offset = pair.inputs[-1] if part.flags & _NO_EVENT else part.offset
            branches.append(Branch(fanout, len(branches), offset, part.type))
            branches[-1].open = 1
        part.branch = branches[-1]
    fanout.width = fanout.live = len(branches)
    if branches or fold.settling:
        _keep(fanout)
    if pair.branch is not None:
        pair.branch.forks = True
        if branches:
            hold(pair.branch)
    for contract in fold.contracts.lists:
        gathering = gather(fold, run, fanout, contract, out)
        if gathering is not None:
            settle(fold, run, gathering, out)
    return branches


def hold(branch: Branch) -> None:
    """One thing more stands in the branch."""
    branch.open += 1
    if branch.open:
        return
    branch.open = 1
    fanout = branch.fanout
    for gathering in fanout.gatherings or ():
        if branch.index not in gathering.got:
            gathering.settled -= 1
    fanout.live += 1
    if fanout.live == 1:
        _keep(fanout)
        if fanout.branch is not None:
            hold(fanout.branch)


def _keep(fanout: FanOut) -> None:
    pending = fanout.run.pend()
    if pending.fanouts is None:
        pending.fanouts = {}
    pending.fanouts[fanout.id] = fanout


def leave(fold: "Fold", run: Run, branch: Branch, out: "Applied") -> None:
    """One thing less stands in the branch; if it was the last, the branch may end with this record."""
    if branch.open > 0:
        branch.open -= 1
        if not branch.open:
            out.empty(run, branch)


def end(fold: "Fold", out: "Applied") -> None:
    """End the branches that are empty now that all of the record has taken effect."""
    # Ending one may empty the branch that its fan-out stands in, which then comes last.
    coming: dict[bytes, Coming] = {}
    for run, branch in out.more.emptied if out.more is not None else ():
        if branch.open <= 0:
            if run.id not in coming:
                coming[run.id] = Coming(fold, run, None if _stirs(out) else run.pend().held)
            _weigh(fold, run, branch, coming[run.id], out)


def settle_branches(fold: "Fold", run: Run, out: "Applied") -> None:
    """What follows for the branches of a run once all of a record has taken effect."""
    if out.more is not None and out.more.emptied:
        end(fold, out)
    release(fold, run, out)


def release(fold: "Fold", run: Run, out: "Applied", *, anew: bool = False) -> None:
    """End the branches that only joins held for which nothing can come any more.

    Args:
        anew: look at all of them, whether or not it has changed what can come.
    """
    held = run.pending.held if run.pending is not None else None
    if not held or not (anew or _stirs(out)):
        return
    coming = Coming(fold, run)
    for fanout, waiting in tuple(held.items()):
        around = coming.around(fanout)
        if anew or around != waiting.around:
            waiting.around = around
            for branch in tuple(waiting.branches):
                _weigh(fold, run, branch, coming, out)
    end(fold, out)


def _stirs(out: "Applied") -> bool:
    """Whether a record may have changed what can come around branches: most concern a step inside of one."""
    if out.envelope is None or out.envelope.kind not in _OF_STEPS or out.result:
        return True
    return any(pair.branch is None or pair.branch.forks for pairs in (out.settled, out.owed) for _, pair in pairs)


def _weigh(fold: "Fold", run: Run, branch: Branch, coming: Coming, out: "Applied") -> None:
    """Whether a branch in which nothing stands has ended, or joins hold it that can still be completed from around it."""
    if branch.open <= 0 and branch.joins and coming.completes(branch):
        if branch.open < 0:
            hold(branch)
            branch.open = 0
        _wait(run, branch, coming)
        return
    _wait_no_longer(run, branch)
    if not branch.open:
        _end(fold, run, branch, out)
    if branch.open < 0 and branch.joins:
        if fold.settling:
            _wait(run, branch, coming)
        else:
            drop_joins(run, branch)


def _wait(run: Run, branch: Branch, coming: Coming) -> None:
    pending = run.pend()
    if pending.held is None:
        pending.held = {}
    waiting = pending.held.get(branch.fanout)
    if waiting is None:
        waiting = pending.held[branch.fanout] = Waiting(coming.around(branch.fanout))
    waiting.branches[branch] = None


def _wait_no_longer(run: Run, branch: Branch) -> None:
    held = run.pending.held if run.pending is not None else None
    waiting = held.get(branch.fanout) if held else None
    if held is not None and waiting is not None and waiting.branches.pop(branch, True) is None and not waiting.branches:
        del held[branch.fanout]


def _end(fold: "Fold", run: Run, branch: Branch, out: "Applied") -> None:
    branch.open = -1
    fanout = branch.fanout
    fanout.live -= 1
    for gathering in tuple(fanout.gatherings or ()):
        if branch.index not in gathering.got:
            gathering.settled += 1
            settle(fold, run, gathering, out)
    if not fanout.live:
        if not fold.settling and run.pending is not None and run.pending.fanouts is not None:
            run.pending.fanouts.pop(fanout.id, None)
        if fanout.branch is not None:
            leave(fold, run, fanout.branch, out)


def drop_joins(run: Run, branch: Branch) -> None:
    """Let go of what joins hold in a branch that has ended."""
    for reactor in branch.joins or ():
        if run.pending is not None and run.pending.lacking is not None:
            run.pending.lacking[reactor].pop(branch, None)
    branch.joins = None


def forget(run: Run) -> None:
    """Let go of all branches of a run whose owed pairs were dropped: what is left of them has ended."""
    if run.pending is None:
        return
    for fanout in (run.pending.fanouts or {}).values():
        fanout.gatherings = None
        fanout.live = 0
        for branch in fanout.branches:
            branch.open = -1
    run.pending.fanouts = run.pending.held = None


def sweep_fan_outs(fold: "Fold") -> None:
    """Once the settling time is over, nobody gathers of a fan-out whose branches have all ended, nor joins in one."""
    for run in fold.runs.values():
        lacking = run.pending.lacking if run.pending is not None else None
        for branch in {branch: None for waiting in (lacking or {}).values() for branch in waiting}:
            if branch.open < 0:
                _wait_no_longer(run, branch)
                drop_joins(run, branch)
        fanouts = run.pending.fanouts if run.pending is not None else None
        for id in [id for id, fanout in fanouts.items() if not fanout.live] if fanouts else ():
            del fanouts[id]  # type: ignore[union-attr]  # it has some


def gather(fold: "Fold", run: Run, fanout: FanOut, contract: "Contract", out: "Applied") -> Gathering | None:
    """Let a fan-in gather of a fan-out, if it names one of its types."""
    if contract.each not in fanout.types or fanout.hops > fold.settings.drain:
        return None
    due = fold.log_time + contract.within if contract.within and run.state is RunState.OPEN else 0
    made = Gathering(contract.reactor, fanout, contract.elements, contract.failures, contract.enough, due)
    if fanout.gatherings is None:
        fanout.gatherings = []
    fanout.gatherings.append(made)
    if due:
        out.arm(run, made)
    return made


def settle(fold: "Fold", run: Run, gathering: Gathering, out: "Applied") -> None:
    """Owe a fan-in its list if each branch gave or ended, or if what they gave is enough."""
    if gathering.settled < gathering.fanout.width and not 0 < gathering.need <= len(gathering.got):
        return
    pair = gathered(fold, gathering, out)
    if run.owed.setdefault(pair.key, pair) is pair:
        out.owed.append((run, pair))
        if pair.branch is not None:
            hold(pair.branch)
        contract = fold.contracts.get(pair.reactor)
        if contract is not None and contract.deadline:
            out.arm(run, StepDeadline(pair.since + contract.deadline, pair))


def gathered(fold: "Fold", gathering: Gathering, out: "Applied") -> Pair:
    """What a fan-in is owed for: what the branches gave, in the order of the branches. It gathers no more then."""
    fanout = gathering.fanout
    if fanout.gatherings is not None:
        fanout.gatherings.remove(gathering)
    gifts = [gift for _, gift in sorted(gathering.got.items())]
    inputs = tuple(chain.from_iterable(gift.offsets for gift in gifts)) or fanout.inputs
    types = tuple(chain.from_iterable(gift.types for gift in gifts)) or (NOTHING,) * len(inputs)
    hops = max((gift.hops for gift in gifts), default=0)
    return Pair(
        fanout.id, gathering.reactor, b"", inputs, types, fold.log_time, max(hops, fanout.hops),
        gathering.failures is not None, out.offset, fanout.branch,
    )  # fmt: skip
