"""Questions to people that an outcome asks."""

from typing import TYPE_CHECKING, Final

from . import timers
from .branches import hold
from .contracts import MOST_NAME
from .pending import Decision, Timer
from .timers import EVENT, due_of

if TYPE_CHECKING:
    from .applied import Applied
    from .fold import Fold
    from .run import Item, Run

HASH: Final = 16
"""Bytes of the hash of what is decided on."""
_HEAD: Final = 2 + HASH


def ask(fold: "Fold", run: "Run", item: "Item", out: "Applied") -> None:
    """Make a decision of an open run pending.

    An outcome is never refused, so one that cannot be read asks all the same: nobody can answer it, and it is over by
    its time or with its run.
    """
    more, pending = out.other(), run.pend()
    more.behind = None
    if pending.decisions is None:
        pending.decisions = {}
    elif item.id in pending.decisions:
        return
    said = item.extra if len(item.extra) >= _HEAD else bytes(_HEAD)
    quorum = max(int.from_bytes(said[:2], "big"), 1)
    answers = tuple(fold.intern(name) for name in said[_HEAD:].split(b"\0") if 0 < len(name) <= MOST_NAME)
    decision = Decision(item.id, item.offset, answers, quorum, said[2:_HEAD], item.hops, item.branch)
    pending.decisions[item.id] = more.behind = decision
    more.asked.append(decision)
    if item.branch is not None:
        hold(item.branch)


def unless_answered(fold: "Fold", run: "Run", item: "Item", out: "Applied") -> None:
    """What the last decision of the same outcome becomes if nobody answers in time. It stands where the decision does."""
    asked = out.more.behind if out.more is not None else None
    timers_ = run.pend().timers or {}
    if asked is None or asked.otherwise is not None or not 0 < len(item.extra) <= MOST_NAME or item.id in timers_:
        return
    asked.otherwise = Timer(
        item.id, fold.intern(item.extra), item.offset, due_of(fold, item), item.flags & EVENT, item.hops, item.branch,
        decision=asked.id,
    )  # fmt: skip
    timers.keep(run, asked.otherwise)
    out.arm(run, asked.otherwise)


def decided(run: "Run", decision: Decision) -> None:
    """Nobody is asked any more, and nothing happens if nobody answers."""
    pending = run.pend()
    if pending.decisions is not None:
        del pending.decisions[decision.id]
        pending.decisions = pending.decisions or None
    if decision.otherwise is not None:
        timers.let_go(run, decision.otherwise)
