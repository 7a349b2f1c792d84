"""Records of the life of a run: sections 5 and 6."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from checker.contracts import MOST_NAME
from checker.framing import frame
from checker.ids import partition_of
from checker.record import Flag, Head, Kind, Raw
from checker.state import Debt, Decision, Event, Pair, Run
from checker.verdict import Verdict

from . import branches, children, compensation
from .setting import ask, set_timer

if TYPE_CHECKING:
    from checker.fold import Fold

TO_COME: Final = Flag.AFTER | Flag.ASK | Flag.CHILD
"""Flags of parts of an outcome that are no events."""


def start(fold: "Fold", raw: Raw, head: Head) -> Verdict:
    key = raw.key
    if not key or len(key) > MOST_NAME:
        return Verdict.UNREADABLE
    if key in fold.runs:
        return Verdict.RUN_EXISTS
    if partition_of(key, fold.partitions) != fold.partition:
        return Verdict.MISROUTED
    if key in fold.closed:
        return Verdict.RUN_REMEMBERED
    if head.not_after and fold.log_time > head.not_after:
        return Verdict.TOO_LATE
    parent = children.sender(head) if head.extra else None
    if head.extra and parent is None:
        return Verdict.UNREADABLE
    if parent is not None and parent.depth > fold.settings["depth"]:
        return Verdict.TOO_DEEP
    run = fold.runs[key] = Run(key, head.id, raw.offset, touched=fold.log_time, parent=parent)
    if head.delay > 0:
        run.deadline = fold.log_time + head.delay
    fold.effects.admit(run, Event(head.id, head.type, raw.offset, 0, head.flags, None, 0, raw.offset))
    return Verdict.ADMITTED


def outcome(fold: "Fold", raw: Raw, head: Head, run: Run) -> Verdict:
    debt = debt_of(fold, head, run)
    if isinstance(debt, Verdict):
        return debt
    whole = frame(debt.appends, raw, head)
    if whole is None:
        return Verdict.HELD
    hops = 0 if run.state == "open" else debt.hops + 1
    run.settle(debt, "outcome", raw.offset)
    numbers = sorted(whole) if head.count else []
    outcome = whole[min(whole)][1].id
    places = branches.fan_out(fold, run, debt, [whole[index] for index in numbers] or [(raw, head)], hops)
    parts = []
    for index, branch in zip(numbers, places or [debt.branch] * len(numbers), strict=True):
        part, its = whole[index]
        parts.append((its, Event(its.id, its.type, part.offset, hops, its.flags, debt.pair, index, raw.offset, branch)))
    emitted = [event for its, event in parts if not its.flags & TO_COME]
    compensation.push(fold, run, debt, outcome, emitted)
    asked: Decision | None = None
    for its, event in parts:
        if not its.flags & TO_COME:
            fold.effects.admit(run, event)
        elif run.state != "open":
            continue
        elif its.flags & Flag.CHILD:
            children.born(run, its, event.offset, event.branch)
        elif its.flags & Flag.ASK:
            asked = ask(fold, run, asked, its, event.branch)
        else:
            set_timer(fold, run, debt, its, event.branch)
    return Verdict.ADMITTED


def failure(fold: "Fold", raw: Raw, head: Head, run: Run) -> Verdict:
    debt = debt_of(fold, head, run)
    if isinstance(debt, Verdict):
        return debt
    if head.attempt != debt.attempts + 1:
        return Verdict.WRONG_ATTEMPT
    debt.attempts += 1
    debt.claim = None
    run.failures += 1
    if head.flags & Flag.LAST:
        hops = 0 if run.state == "open" else debt.hops + 1
        fold.effects.fail_for_good(run, debt, head.id, raw, hops)
    return Verdict.ADMITTED


def signal(fold: "Fold", raw: Raw, head: Head, run: Run) -> Verdict:
    if refused := refused_as_command(fold, head):
        return refused
    fold.effects.admit(run, Event(head.id, head.type, raw.offset, 0, head.flags, None, 0, raw.offset))
    return admit_command(fold, head)


def cancel(fold: "Fold", raw: Raw, head: Head, run: Run) -> Verdict:
    if refused := refused_as_command(fold, head):
        return refused
    if head.causation and head.causation != run.start_id:
        return Verdict.NOT_PENDING
    if run.state == "ending" and not run.parked:
        return Verdict.RUN_ENDING
    if run.state == "open":
        run.state, run.result, run.undoing = "ending", "cancelled", True
        run.lapse()
        children.ended(run, raw.offset)
    run.drop(raw.offset)
    return admit_command(fold, head)


def pause(fold: "Fold", raw: Raw, head: Head, run: Run) -> Verdict:
    if refused := refused_as_command(fold, head):
        return refused
    wanted = head.kind == Kind.PAUSE
    if run.paused is wanted:
        return Verdict.NO_CHANGE
    run.paused = wanted
    return admit_command(fold, head)


def retry(fold: "Fold", raw: Raw, head: Head, run: Run) -> Verdict:
    if refused := refused_as_command(fold, head):
        return refused
    named = [d for d in run.owed.values() if d.parked is not None and d.parked == head.causation]
    if not named:
        return Verdict.NOT_PARKED
    if head.flags & Flag.EDITED:
        return compensation.edited(fold, run, named[0], raw, head) or admit_command(fold, head)
    done = [fold.effects.retry(run, debt, raw.offset) for debt in named]
    return admit_command(fold, head) if any(done) else Verdict.NO_CONTRACT


def owe(fold: "Fold", raw: Raw, head: Head, run: Run) -> Verdict:
    if refused := refused_as_command(fold, head):
        return refused
    contract = fold.contracts.by_reactor.get(head.reactor)
    if contract is None or not contract.active or contract.forms != ("event",):
        return Verdict.NO_CONTRACT
    if len(head.extra) <= 8 or not head.causation:
        return Verdict.UNREADABLE
    inputs = ((int.from_bytes(head.extra[:8], "big"), head.extra[8:]),)
    pair: Pair = (head.causation, head.reactor, head.id)
    if pair in run.owed:
        return Verdict.REPEATED
    run.owe(Debt(pair, inputs, 0, raw.offset))
    return admit_command(fold, head)


def expire(fold: "Fold", raw: Raw, head: Head, run: Run) -> Verdict:
    after = fold.settings["expire_after"]
    if not after or fold.log_time - run.touched < after or not stands_still(fold, run):
        return Verdict.NOT_DUE
    if run.state == "open":
        run.state, run.result = "ending", "expired"
        run.lapse()
        children.ended(run, raw.offset)
    run.undoing = False
    run.stack.clear()
    run.drop(raw.offset)
    return Verdict.ADMITTED


def debt_of(fold: "Fold", head: Head, run: Run) -> Debt | Verdict:
    debt = run.owed.get((head.causation, head.reactor, head.generation))
    if debt is None:
        return Verdict.NOT_OWED
    return Verdict.LATE if debt.parked is not None else debt


def refused_as_command(fold: "Fold", head: Head) -> Verdict | None:
    """What refuses any command, or None."""
    if head.not_after == 0:
        return Verdict.UNREADABLE
    if fold.log_time > head.not_after:
        return Verdict.TOO_LATE
    if head.not_after > fold.log_time + fold.settings["ahead"]:
        return Verdict.TOO_FAR
    return Verdict.REPEATED if fold.commands.holds(head.id, fold.log_time) else None


def admit_command(fold: "Fold", head: Head) -> Verdict:
    fold.commands.add(head.id, head.not_after)
    return Verdict.ADMITTED


def stands_still(fold: "Fold", run: Run) -> bool:
    """Whether it is failed, with nothing else to do, or idle."""
    due = run.state == "open" and any(gathering.due for gathering in run.gatherings)
    if run.timers or run.decisions or run.children or run.letters or due:
        return False
    if run.owed:
        return len(run.owed) == run.parked
    waits = any(c.active and c.signals for c in fold.contracts.by_reactor.values())
    joins = [queues for here in (run.queues, *run.branch_queues.values()) for queues in here.values()]
    return run.state == "open" and not any(map(any, joins)) and not waits


ON_RUNS: Final[dict[Kind, Callable[["Fold", Raw, Head, Run], Verdict]]] = {
    Kind.OUTCOME: outcome,
    Kind.FAILURE: failure,
    Kind.SIGNAL: signal,
    Kind.CANCEL: cancel,
    Kind.PAUSE: pause,
    Kind.RESUME: pause,
    Kind.RETRY: retry,
    Kind.OWE: owe,
    Kind.EXPIRE: expire,
}
OTHERS: Final[dict[Kind, Callable[["Fold", Raw, Head], Verdict]]] = {Kind.START: start}
