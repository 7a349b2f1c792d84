"""An event enters a run's history, and a run gets its result."""

from typing import TYPE_CHECKING

from farandole.eventstore import Stored
from farandole.schemas.envelope import Flag

from . import compensation, gathering, timers
from .lapsing import lapse_pending
from .owing import drop, owe
from .run import Fact, Result, Run, RunState, Turn

if TYPE_CHECKING:
    from .applied import Applied
    from .fold import Fold

_END, _FINAL_END, _COMPENSATE = int(Flag.END), int(Flag.FINAL_END), int(Flag.COMPENSATE)
_OPEN, _TURN_END, _ENDED = RunState.OPEN, Turn.END, Result.ENDED


def take(fold: "Fold", run: Run, fact: Fact, out: "Applied") -> None:
    """Every event enters a run's history here."""
    out.admitted.append(fact)
    if fact.flags & _END and run.state is _OPEN and run.turn(_TURN_END):
        run.result, run.end, run.result_offset = _ENDED, fact.type, fact.offset
        out.result = _ENDED
        if fact.flags & _COMPENSATE:
            compensation.begin(run)
        if run.pending is not None:
            lapse_pending(fold, run, out)
        if fact.flags & _FINAL_END:
            drop(fold, run, out)
            return
    watched = fold.contracts.watched
    if watched and fact.type in watched:
        timers.pass_by(fold, run, fact, out)
    if fact.branch is not None:
        gathering.give(fold, run, fact, out)
    owe(fold, run, fact, out)


def finish(fold: "Fold", run: Run, record: Stored, turn: Turn, result: Result, out: "Applied") -> None:
    """Bring a run to its end by a record that is no `End`; a result that it has stays."""
    if run.result is Result.NONE:
        run.result, run.result_offset = result, record.offset
        out.result = result
    run.turn(turn)
    if run.pending is not None:
        lapse_pending(fold, run, out)
