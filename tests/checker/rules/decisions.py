"""Decisions: section 15."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from checker.record import Head, Kind, Raw
from checker.state import Event, Run
from checker.verdict import Verdict

from .runs import admit_command, refused_as_command
from .setting import EVENT

if TYPE_CHECKING:
    from checker.fold import Fold


def answer(fold: "Fold", raw: Raw, head: Head, run: Run) -> Verdict:
    if refused := refused_as_command(fold, head):
        return refused
    decision = run.decisions.get(head.causation)
    if decision is None:
        return Verdict.NOT_PENDING
    said = head.extra
    if len(said) < 17 or len(said) < 17 + said[16]:
        return Verdict.UNREADABLE
    if said[:16] != decision.hash:
        return Verdict.OTHER_SUBJECT
    if head.type not in decision.answers:
        return Verdict.NOT_OFFERED
    who = said[17 : 17 + said[16]] or b"\0" + head.id
    if who in decision.votes:
        return Verdict.REPEATED
    decision.votes[who] = head.type
    if list(decision.votes.values()).count(head.type) >= decision.quorum:
        del run.decisions[decision.id]
        if decision.otherwise is not None:
            del run.timers[decision.otherwise.id]
        event = Event(head.id, head.type, raw.offset, 0, head.flags & EVENT, None, 0, raw.offset, decision.branch)
        fold.effects.admit(run, event)
    return admit_command(fold, head)


ON_RUNS: Final[dict[Kind, Callable[["Fold", Raw, Head, Run], Verdict]]] = {
    Kind.ANSWER: answer,
}
