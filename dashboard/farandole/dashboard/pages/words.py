"""What runs, records and steps are called on pages, and which tone each has."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final

from farandole.projections.runs.query import ActRow, RecordRow, RunRow, StepRow

from .times import relative

STATUSES: Final = {
    "running": "work", "retrying": "warn", "waiting": "wait", "failed": "bad", "paused": "mute", "ending": "work",
    "unserved": "warn", "idle": "mute", "completed": "good", "cancelled": "mute", "expired": "bad",
}  # fmt: skip
"""States of runs in the order in which they are counted, each with its tone."""
CLOSED: Final = frozenset(("completed", "cancelled", "expired"))
MEANINGS: Final = {
    "running": "a step is owed, and somebody serves it",
    "retrying": "all that it owes has failed before, and is tried again",
    "waiting": "for a person, a timer, a signal or a child run",
    "failed": "a step failed for good, and is parked until somebody retries it",
    "paused": "no further step begins until it is resumed",
    "ending": "it has its result; what is owed is still done",
    "unserved": "an event came that no reactor takes",
    "idle": "open, but nothing is owed or waited for",
    "completed": "it has its result",
    "cancelled": "somebody brought it to an end",
    "expired": "its deadline passed",
}
REFUSED: Final = {
    "no_run": "no such run is open", "run_exists": "the run was started before",
    "run_remembered": "the run was closed a while ago", "too_late": "came too late",
    "too_far": "it would act too long", "not_owed": "the step had its outcome already", "late": "the step is parked",
    "wrong_attempt": "another worker told of this attempt first", "run_ending": "the run has its result",
    "repeated": "a repetition", "not_parked": "the step was not parked", "superseded": "another was in force first",
    "no_change": "nothing to change", "not_pending": "it waits for that no longer",
    "other_subject": "an answer about something else", "not_offered": "no answer to choose",
    "claimed": "another worker holds the step", "too_deep": "too many runs above it", "full": "no room for more",
    "not_taken": "no reactor takes it", "not_due": "before its time",
    "held": "not whole: a part of its append is missing", "unreadable": "unreadable",
    "misrouted": "in the wrong partition",
}  # fmt: skip
_COMMANDS: Final = {
    "cancel": "cancelled", "pause": "paused", "resume": "resumed", "retry": "retried", "owe": "owed again",
    "expire": "out of time", "claim": "claimed", "lost": "attempt lost", "progress": "progress told",
    "substep": "sub-step done", "delivered": "message delivered", "child_ended": "child ended",
    "child_failed": "child failed", "tick": "tick", "policy": "policy", "setting": "setting", "contract": "contract",
    "version": "rules of the fold", "genesis": "beginning of the log", "released": "partition released",
}  # fmt: skip
_TONES: Final = {
    "start": "work", "signal": "wait", "answer": "wait", "timer": "wait", "expiry": "wait", "failure": "bad",
    "lost": "bad", "outcome": "good", "child_ended": "good", "child_failed": "bad",
}  # fmt: skip


def short(name: str | None) -> str:
    """A wire name without its choreography; of news of a child, the name of what it ended with."""
    name = name or ""
    return "any failure" if name.endswith(":") else name.rpartition(".")[2].rpartition(":")[2]


def event_of(name: str, choreography: str) -> str:
    """The event that a name in a contract is about: that itself, or the one that failed or that a child ended with."""
    last = name.rpartition(":")[2]
    return last if "." in last or not last else f"{choreography}.{last}"


def title(record: RecordRow) -> str:
    """What a record is, in a few words."""
    if record.kind == "failure":
        return f"failed{' for good' if record.final else ''}, attempt {record.attempt}"
    if record.kind == "outcome" and not record.type:
        return "done, no event"
    if record.kind in _COMMANDS:
        return _COMMANDS[record.kind]
    return short(record.type) or record.kind or "unreadable record"


def tone(record: RecordRow) -> str:
    if record.verdict not in ("admitted", "held"):
        return "mute"
    return _TONES.get(record.kind, "mute")


def refusal(record: RecordRow | ActRow) -> str | None:
    """Why a record was left out; None: it was not, or counts with a later one."""
    if record.verdict == "admitted" or (record.verdict == "held" and record.admitted is not None):
        return None
    return REFUSED.get(record.verdict, record.verdict.replace("_", " "))


def waits_for(run: RunRow, steps: Iterable[StepRow], now: int) -> list[str]:
    """What an open run waits for, the most telling first."""
    if run.closed is not None:
        return []
    found = []
    parked = [step for step in steps if step.state == "parked"]
    owed = [step for step in steps if step.state == "owed"]
    if parked:
        found += [f"a retry of {step.reactor}" for step in parked[:3]]
    if run.paused:
        found.append("somebody to resume it")
    if run.decisions:
        found.append("an answer of a person" if run.decisions == 1 else f"{run.decisions} answers of people")
    for step in owed[:3]:
        found.append(f"{step.reactor}, tried again {relative(step.due, now)}" if step.due > now else step.reactor)
    if len(owed) > 3:
        found.append(f"{len(owed) - 3} more steps")
    if run.timers:
        when = "" if run.next_timer is None else f" {relative(run.next_timer, now)}"
        found.append(f"a timer{when}" if run.timers == 1 else f"{run.timers} timers, the next{when}")
    if run.children:
        found.append("a child run" if run.children == 1 else f"{run.children} child runs")
    for each in run.waits or ():
        names = " or ".join(short(name) for name in each["types"])
        found.append(f"{names} from outside" if each["signal"] else f"{names} for {each['reactor']}")
    if run.unserved:
        found.append(f"a reactor that takes {short(run.last_type)}")
    return list(dict.fromkeys(found))


def plural(count: int, one: str, many: str | None = None) -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def dollars(cost: Decimal) -> str:
    """An amount of US dollars with the digits that matter."""
    if not cost or abs(cost) >= 1:
        return f"${cost:,.2f}"
    whole, _, part = f"{cost:.{2 - cost.adjusted()}f}".partition(".")
    return f"${whole}.{part.rstrip('0'):0<2}"


def as_text(value: Any) -> str:
    """A plain value on one line."""
    import json

    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=False)
