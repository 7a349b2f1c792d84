"""What an outcome holds besides plain events: timers, decisions, children, and what begins a branch."""

from typing import TYPE_CHECKING, Final

from farandole.schemas.envelope import Envelope, Flag

from . import children, decisions, timers
from .run import Fact, Item, Pair, Run, RunState
from .taking import take

if TYPE_CHECKING:
    from .applied import Applied
    from .fold import Fold

SPECIAL: Final = int(Flag.FANOUT | Flag.AFTER | Flag.ASK | Flag.CHILD)
"""Flags of records of an outcome that are no plain events at the root."""
_AFTER, _ASK, _CHILD = int(Flag.AFTER), int(Flag.ASK), int(Flag.CHILD)


def part_of(fold: "Fold", offset: int, e: Envelope) -> Fact:
    """One record of an outcome, as the fold keeps it until the outcome is whole."""
    if e.flags & SPECIAL:
        return Item(e.id, fold.intern(e.type), offset, e.flags, e.delay, e.not_after, e.extra, e.branch)
    return Fact(e.id, fold.intern(e.type), offset, e.flags)


def take_part(fold: "Fold", run: Run, pair: Pair, part: Fact, out: "Applied") -> None:
    """Let one part of an admitted outcome take effect. What an ending run would have to wait for lapses at once."""
    if type(part) is not Item or part.is_event:
        take(fold, run, part, out)
    elif run.state is not RunState.OPEN:
        return
    elif part.flags & _CHILD:
        children.bear(fold, run, part, out)
    elif part.flags & _AFTER and part.flags & _ASK:
        decisions.unless_answered(fold, run, part, out)
    elif part.flags & _ASK:
        decisions.ask(fold, run, part, out)
    else:
        timers.arm(fold, run, pair, part, out)
