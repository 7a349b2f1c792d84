"""How branches and fan-ins do without each of their rules."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from farandole.projections.fold import Contract, Fact, Fold, Pair, Run, admission, branches, gathering, joins
from farandole.projections.fold.branches import Branch, FanOut, Gathering

from .rules import Rule, Switch

if TYPE_CHECKING:
    from farandole.projections.fold import Applied

_add, _join, _gathered, _gather = joins.add, joins.join, branches.gathered, branches.gather
_fan_out, _fail_for_good = admission.fan_out, admission.fail_for_good


def at_the_root(
    run: Run, trigger: bytes, contract: Contract, inputs: Any, types: Any, hops: int, branch: Any, time: int, out: Any
) -> None:
    """Whatever a branch leads to stands at the root."""
    _add(run, trigger, contract, inputs, types, hops, None, time, out)


def gathers_on(fold: Fold, gathering: Gathering, out: "Applied") -> Pair:
    """A fan-in that has fired goes on gathering."""
    pair = _gathered(fold, gathering, out)
    if gathering.fanout.gatherings is not None:
        gathering.fanout.gatherings.append(gathering)
    return pair


def nothing_of_none(
    fold: Fold, run: Run, pair: Pair, first: Any, parts: Sequence[Fact], out: "Applied"
) -> Sequence[Branch]:
    """A fan-out of none is none."""
    return _fan_out(fold, run, pair, first, parts, out) if parts else ()


def parked_is_done(fold: Fold, run: Run, pair: Pair, failure: Fact, out: "Applied") -> None:
    """A step that is parked holds its branch no more."""
    _fail_for_good(fold, run, pair, failure, out)
    if pair.parked and pair.branch is not None:
        branches.leave(fold, run, pair.branch, out)


def ends_unheard(fold: Fold, run: Run, branch: Branch, out: "Applied") -> None:
    """Nobody counts a branch that ends."""
    branch.open = -1


def joins_anywhere(fold: Fold, run: Run, event: Fact, contract: Contract, out: "Applied") -> None:
    """A join takes events of all branches together."""
    _join(fold, run, Fact(event.id, event.type, event.offset, event.flags, event.hops), contract, out)


def the_first_of_all(run: Run, event: Fact) -> None:
    """Joins in branches look at the first event there ever was."""
    holder = event.branch or run.pend()
    if holder.latest is None:
        holder.latest = {}
    holder.latest.setdefault(event.type, event)


def never_enough(fold: Fold, run: Run, fanout: FanOut, contract: Contract, out: "Applied") -> Gathering | None:
    """A fan-in waits for all branches, whatever would be enough."""
    made = _gather(fold, run, fanout, contract, out)
    if made is not None:
        made.need = 0
    return made


def unheld(fold: Fold, run: Run, pair: Pair, first: Any, parts: Sequence[Fact], out: "Applied") -> Sequence[Branch]:
    """A fan-out does not hold the branch that it stands in."""
    made = _fan_out(fold, run, pair, first, parts, out)
    if made and pair.branch is not None:
        branches.leave(fold, run, pair.branch, out)
    return made


def rules() -> list[Rule]:
    """Each rule of branches, and what the judge says without it."""
    once = "is owed a second time, and a fan-in fires once"
    return [
        Rule("what follows stays in its branch", "13", "are open", [_instead(joins, "add", at_the_root)]),
        Rule("a fan-in fires once", "13", once, [_instead(branches, "gathered", gathers_on)]),
        Rule("a fan-out of none", "13", "should have fired", [_instead(admission, "fan_out", nothing_of_none)]),
        Rule("a parked step holds its branch", "13", "are open", [_instead(admission, "fail_for_good", parked_is_done)]),
        Rule("a fan-out holds its branch", "13", "are open", [_instead(admission, "fan_out", unheld)]),
        Rule("failures are gifts", "13", "should have fired", [_instead(gathering, "catch", lambda *_: False)]),
        Rule("lists in the order of branches", "13", "which are not in their order",
             [partial(patch.object, branches, "sorted", list, create=True)]),
        Rule("a branch ends without giving", "13", "should have fired", [_instead(branches, "_end", ends_unheard)]),
        Rule("joins stay in their branch", "13", "joins what is of another branch", [_instead(joins, "join", joins_anywhere)]),
        Rule("the latest of an enclosing branch", "13", "that is not the latest", [_instead(joins, "note", the_first_of_all)]),
        Rule("enough is enough", "13", "enough is there", [_instead(branches, "gather", never_enough)]),
    ]  # fmt: skip


def _instead(where: object, name: str, what: object) -> Switch:
    return partial(patch.object, where, name, what)
