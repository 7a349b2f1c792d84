"""What records and states are called at the terminal, and in which colours."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from rich.text import Text

from farandole.projections.fold import UNDO, Awaited, OwedStep, RunStatus, Verdict
from farandole.reactors.reading import edited_by
from farandole.schemas.envelope import Envelope, Flag, Kind

from .kin import kin_run, kin_title, of_kin
from .output import safe, to_json
from .steps import OF_STEPS, policy_title, step_gist, step_title
from .times import date, exact, span
from .told import Told

STYLES: Final = {
    "running": "cyan",
    "retrying": "yellow",
    "waiting": "blue",
    "failed": "bold red",
    "paused": "magenta",
    "ending": "cyan",
    "unserved": "yellow",
    "idle": "dim",
    "completed": "green",
    "cancelled": "dim",
    "expired": "dim",
    "absent": "dim",
}
"""Of states of runs."""

CLOSED: Final = ("completed", "cancelled", "expired")
"""States that a run never leaves."""

_ASKED: Final = {
    Kind.CANCEL: "cancelled",
    Kind.PAUSE: "paused",
    Kind.RESUME: "resumed",
    Kind.RETRY: "retried",
    Kind.OWE: "owed again",
    Kind.EXPIRE: "expired",
}
_SAY_WHO: Final = frozenset((*_ASKED, Kind.POLICY, Kind.SCHEDULE))
"""Kinds whose content says who asked, and why."""
_COME_IN: Final = frozenset(
    (Kind.START, Kind.SIGNAL, Kind.ANSWER, Kind.TIMER, Kind.EXPIRY, Kind.CHILD_ENDED, Kind.CHILD_FAILED)
)
"""Kinds of events that no reactor emitted with this record."""
_REFUSED: Final = {
    Verdict.NO_RUN: "no such run is open",
    Verdict.RUN_EXISTS: "the run was started before",
    Verdict.RUN_REMEMBERED: "the run was closed a while ago",
    Verdict.TOO_LATE: "came too late",
    Verdict.TOO_FAR: "it would act too long",
    Verdict.NOT_OWED: "the step had its outcome already",
    Verdict.LATE: "the step is parked",
    Verdict.WRONG_ATTEMPT: "another worker told of this attempt first",
    Verdict.RUN_ENDING: "the run has its result",
    Verdict.REPEATED: "a repetition",
    Verdict.NOT_PARKED: "the step was not parked",
    Verdict.SUPERSEDED: "another was in force first",
    Verdict.NO_CHANGE: "nothing to change",
    Verdict.NOT_PENDING: "it waits for that no longer",
    Verdict.OTHER_SUBJECT: "an answer about something else",
    Verdict.NOT_OFFERED: "no answer to choose",
    Verdict.CLAIMED: "another worker holds the step",
    Verdict.TOO_DEEP: "too many runs above it",
    Verdict.FULL: "no room for more",
    Verdict.NOT_TAKEN: "no reactor takes it",
    Verdict.NOT_DUE: "before its time",
    Verdict.HELD: "not whole: a part of its append is missing",
    Verdict.UNREADABLE: "unreadable",
    Verdict.MISROUTED: "in the wrong partition",
}


def short(name: str) -> str:
    """A wire name without its choreography."""
    return name.rpartition(".")[2]


def state(status: str) -> Text:
    return Text(status, style=STYLES.get(status, ""))


def mark(told: Told) -> Text:
    """One character for what a record is."""
    if not told.admitted:
        return Text("○", style="dim")
    kind = told.envelope.kind if told.envelope else 0
    if kind == Kind.FAILURE:
        return Text("✗", style="red" if told.last else "yellow")
    if kind == Kind.LOST:
        return Text("✗", style="red")
    if kind == Kind.OUTCOME:
        return Text("●", style="green") if told.content is not None or told.problem else Text("·", style="green")
    if kind in _COME_IN:
        return Text("▶", style="cyan")
    return Text("■", style="magenta")


def title(told: Told) -> Text:
    """What a record is, in a few words."""
    e = told.envelope
    if e is None:
        return Text("unreadable record", style="dim")
    if e.kind == Kind.FAILURE:
        end = f"failed for good, attempt {e.attempt}" if told.last else f"failed, attempt {e.attempt}"
        end = f"undoing {end}" if e.generation == UNDO else end
        words = Text(f"{told.reactor} {end}", style="red" if told.last else "yellow")
    elif e.kind == Kind.OUTCOME and told.record.value is None:
        words = Text(f"{told.reactor} {'undone' if e.generation == UNDO else 'done'}")
    elif told.edits:
        words = Text(f"retried with another {short(told.type)}", style="magenta")
    elif e.kind == Kind.OUTCOME and e.flags & (Flag.AFTER | Flag.ASK):
        words = _waiting(told, e)
    elif of_kin(e):
        words = kin_title(told, e)
    elif e.kind == Kind.EXPIRY and not e.causation:
        words = Text("out of time", style="magenta")
    elif e.kind in OF_STEPS:
        words = step_title(told, e)
    elif e.kind == Kind.POLICY:
        words = policy_title(told)
    elif e.kind in _ASKED:
        words = Text(_ASKED[Kind(e.kind)], style="magenta")
    elif e.kind == Kind.CONTRACT and told.content:
        words = Text(f"contract of {told.content['reactor']}")
    else:
        words = Text(short(told.type), style="bold")
    if not told.admitted:
        words.stylize("dim not bold")
    return words


def _waiting(told: Told, e: Envelope) -> Text:
    """What an outcome waits for."""
    if not e.flags & Flag.AFTER:
        return Text("asks people", style="blue")
    what = short(safe(e.extra.decode(errors="replace")))
    return Text(f"{'otherwise ' if e.flags & Flag.ASK else ''}{what}, to come", style="blue")


def refusal(verdict: Verdict) -> str:
    return _REFUSED.get(verdict, verdict.name.lower().replace("_", " "))


def author(told: Told) -> str:
    """Who wrote a record: a reactor, a client, a person."""
    if told.envelope is None:
        return ""
    if told.envelope.kind in (Kind.OUTCOME, Kind.FAILURE):
        return told.reactor
    if told.edits:
        return safe(edited_by(told.envelope)[0]) or short_source(told)
    if told.envelope.kind in OF_STEPS:
        return told.reactor
    if by := str((told.content or {}).get("by") or ""):
        return safe(by) if told.envelope.kind in _SAY_WHO else short_source(told)
    return short_source(told)


def short_source(told: Told) -> str:
    return safe(told.envelope.source.decode(errors="replace")).rpartition("/")[2] if told.envelope else ""


def gist(told: Told) -> str:
    """What a record says, on one line."""
    said = safe(_gist(told)).replace("\n", " ")
    if told.admitted or told.problem:
        return said
    return f"refused: {refusal(told.verdict)}" + (f" · {said}" if said else "")


def _gist(told: Told) -> str:
    e, content = told.envelope, told.content
    if told.problem:
        return f"({told.problem})"
    if e is not None and of_kin(e):
        return "  ".join(filter(None, (kin_run(e), _error(content) or _news(content or {}))))
    if e is None or content is None:
        return ""
    if e.kind == Kind.FAILURE:
        said = _error(content)
        return said if told.last else f"{said} · again in {exact(e.delay / 1000)}"
    if told.edits:
        _, why = edited_by(e)
        return f"{fields(content)} · {why}" if why else fields(content)
    if e.kind in OF_STEPS:
        return step_gist(told, e)
    if e.kind in _SAY_WHO:
        return str(content.get("reason") or "")
    if e.kind == Kind.OUTCOME and e.flags & Flag.AFTER:
        return "  ".join(filter(None, (_when(e), fields(content))))
    if e.kind == Kind.OUTCOME and e.flags & Flag.ASK:
        answers = " or ".join(short(answer) for answer in content["answers"])
        to = f" · to {', '.join(content['to'])}" if content["to"] else ""
        return f"{content['question']} {answers}{to}"
    if e.kind == Kind.CONTRACT:
        return f"service {content['service']}, {content['state']}"
    return fields(content)


def _error(content: Mapping[str, Any] | None) -> str:
    """What failed, if that is what a content says."""
    told = content is not None and {"error", "message"} <= content.keys()
    return f"{short(content['error'])}: {content['message']}" if told and content is not None else ""


def _news(content: Mapping[str, Any]) -> str:
    """What one run tells another: of news that is no event, why, and nothing that the title says."""
    return str(content["error"]) if {"error", "verdict"} <= content.keys() else fields(content)


def _when(e: Envelope) -> str:
    return f"at {date(e.not_after)}" if e.not_after else f"in {exact(max(e.delay, 0) / 1000)}"


def fields(content: Mapping[str, Any]) -> str:
    """A payload in one line: ``customer=Ada  amount=12.50``. Who answered, and with which comment, only if somebody said so."""
    shown = ((name, value) for name, value in content.items() if value != "" or name not in ("by", "comment"))
    return "  ".join(f"{name}={_value(value)}" for name, value in shown)


def _value(value: Any) -> str:
    text = to_json(value)
    plain = text[1:-1]
    return plain if text.startswith('"') and plain and "\\" not in plain and " " not in plain else text


def doing(status: RunStatus, awaits: tuple[Awaited, ...], now: int) -> str:
    """What a run owes or waits for, in one line."""
    if status.status in CLOSED:
        return short(status.end)
    parked = [step for step in status.owed if step.parked]
    if parked:
        return ", ".join(map(_parked, parked))
    if status.owed:
        steps = ", ".join(_step(step, now) for step in status.owed)
        return steps + (f" (no worker of {', '.join(status.without_worker)})" if status.without_worker else "")
    waits = [*_timers(status, now), *_decisions(status, now), *_children(status)]
    if not status.children:
        waits += [_awaited(a) for a in sorted(awaits, key=lambda a: not a.signal)]
    if waits:
        return "waits for " + ", ".join(waits) + _deadline(status, now)
    if status.messages:
        return f"has to tell {', '.join(message.to for message in status.messages[:3])}"
    if status.unserved:
        return f"{status.unserved} event{'s'[: status.unserved != 1]} that no reactor takes"
    return ""


def _timers(status: RunStatus, now: int) -> Iterator[str]:
    for timer in sorted(status.timers, key=lambda timer: timer.due):
        yield f"{short(timer.type)} {_in(timer.due, now)}"


def _decisions(status: RunStatus, now: int) -> Iterator[str]:
    for decision in status.decisions:
        over = f" (over {_in(decision.expires, now)})" if decision.expires else ""
        yield f"somebody to answer {' or '.join(short(a) for a in decision.answers)}{over}"


def _children(status: RunStatus) -> Iterator[str]:
    if status.children:
        named = ", ".join(f"{short(child.type)} {child.run_id}" for child in status.children[:3])
        more = len(status.children) - 3
        yield f"child{'ren'[: 3 * (len(status.children) > 1)]} {named}" + (f" and {more} more" if more > 0 else "")


def _deadline(status: RunStatus, now: int) -> str:
    return f"; out of time {_in(status.deadline, now)}" if status.deadline else ""


def _in(due: int, now: int) -> str:
    return f"in {span((due - now) / 1000)}" if due > now else "now"


def _parked(step: OwedStep) -> str:
    if not step.attempts and not step.lost:
        return f"{step.reactor} has no room for more events that wait for others"
    undoing = "undoing " if step.generation == UNDO.decode() else ""
    return f"{undoing}{step.reactor} failed after {step.spent}"


def _step(step: OwedStep, now: int) -> str:
    reactor = f"undoes {step.reactor}" if step.generation == UNDO.decode() else step.reactor
    if not step.service:
        return f"{reactor} (nobody serves it)"
    if step.stopped:
        return f"{reactor} (stopped)"
    if step.due > now:
        seconds = (step.due - now) / 1000
        return f"{reactor} again {'now' if seconds < 1 else f'in {span(seconds)}'}"
    about = [f"attempt {step.attempts + 1}"] if step.attempts else []
    about += ["at work"] if step.claimed_until > now else []
    about += [f"{step.lost} lost worker{'s'[: step.lost != 1]}"] if step.lost else []
    return f"{reactor} ({', '.join(about)})" if about else reactor


def _awaited(awaited: Awaited) -> str:
    names = " or ".join(short(t) for t in awaited.types)
    return f"signal {names}" if awaited.signal else names
