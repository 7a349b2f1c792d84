"""The story of a run, as an assertion that failed and a test that prints it tell it."""

from collections.abc import Iterator, Sequence
from typing import Final

from farandole.projections.fold import Fold, OwedStep, Run, RunStatus, Verdict, awaited
from farandole.reactors.shown import text
from farandole.schemas import Event
from farandole.schemas.envelope import Flag, Kind

from .chronicle import Line

_LAST: Final = int(Flag.LAST)
_MOST: Final = 400
"""Characters of one event."""
_MOST_CHILDREN: Final = 5
_UNITS: Final = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1))


def story(
    lines: Sequence[Line], since: int, status: RunStatus, choreography: str, began: int, now: int, hand: bytes
) -> str:
    """What happened in a run, and what it owes.

    Args:
        lines: its records.
        since: the number of the first of them that the last command gave rise to.
        began: when the scenario began, in milliseconds since 1970 UTC.
        now: the same, of now.
        hand: the reactor in whose name the test writes.
    """
    head = f"run '{status.run_id}' of {choreography} is {status.status}, {span(now - began)} after the beginning:"
    rows: list[tuple[str, str, str]] = []
    new = 0
    for number, line in enumerate(lines):
        if number == since:
            new = len(rows)
        rows += _rows(line, began, hand)
    width = max((len(by) for _, by, _ in rows), default=0)
    told = [f"  {at:>7}  {by:<{width}}  {what}" for at, by, what in rows] or ["  nothing happened"]
    if 0 < new < len(told):
        told.insert(new, "           · · ·")
    return "\n".join([head, *told])


def debts(status: RunStatus, fold: Fold, run: Run | None, now: int) -> list[str]:
    """What a run owes, and what it waits for."""
    lines = [f"  owes {_owed(step, now)}" for step in status.owed]
    for each in awaited(fold, run) if run is not None else ():
        names = " or ".join(short(name) for name in each.types)
        lines.append(f"  waits for {names}{', a signal,' if each.signal else ''} for {each.reactor}")
    lines += [f"  waits for {short(timer.type)}, due in {span(timer.due - now)}" for timer in status.timers]
    for decision in status.decisions:
        answers = " or ".join(short(name) for name in decision.answers)
        over = f", over in {span(decision.expires - now)}" if decision.expires else ""
        lines.append(f"  waits for a person to answer {answers}{over}")
    if status.deadline:
        lines.append(f"  has to be done in {span(status.deadline - now)}")
    children = [f"  waits for {short(child.type)}, run '{child.run_id}'" for child in status.children]
    lines += children[:_MOST_CHILDREN]
    if len(children) > _MOST_CHILDREN:
        lines.append(f"  waits for {len(children) - _MOST_CHILDREN} runs more")
    if status.status == "unserved":
        lines.append(f"  holds {status.unserved} event{'s' if status.unserved > 1 else ''} that no reactor takes")
    return lines


def traces(lines: Sequence[Line]) -> Iterator[str]:
    """The traceback of the last failure of each reactor."""
    last = {line.envelope.reactor: line for line in lines if _failed(line)}
    for reactor, line in last.items():
        if line.said.get("traceback"):
            yield f"{text(reactor)} failed:\n" + "\n".join(f"  {row}" for row in line.said["traceback"].splitlines())


def span(ms: int) -> str:
    """A duration, as people write it."""
    if ms < 1:
        return "0s"
    parts = []
    for unit, size in _UNITS:
        n, ms = divmod(ms, size)
        if n:
            parts.append(f"{n}{unit}")
    return "".join(parts)


def short(name: str) -> str:
    """A wire name without its choreography."""
    return name.rpartition(".")[2]


def _failed(line: Line) -> bool:
    return line.envelope.kind == Kind.FAILURE and line.verdict is Verdict.ADMITTED


def _rows(line: Line, began: int, hand: bytes) -> Iterator[tuple[str, str, str]]:
    e, at = line.envelope, span(line.record.time - began)
    by = "the test" if line.by_the_test else text(e.reactor) or text(e.source).rpartition("/")[2]
    if line.verdict is Verdict.HELD:
        return  # it is told once its append is whole
    if line.verdict.refused:
        yield at, by, f"{short(text(e.type))} was refused: {line.verdict.name}"
    elif e.kind == Kind.FAILURE:
        yield at, by, _failure(line)
    elif line.events or line.timers or line.asked or line.born:
        for event in line.events:
            yield at, by, shown(event)
        for type, due in line.timers:
            yield at, by, f"sets {short(type)}, due at {span(due - began)}"
        for question, due in line.asked:
            over = f", over at {span(due - began)}" if due else ""
            yield at, by, f"asks {question}{over}"
        for child in line.born:
            yield at, by, f"starts {child}"
    elif e.kind == Kind.DELIVERED:
        return  # it says no more than that a message came to where it was sent
    elif e.kind == Kind.OUTCOME:
        if not line.by_the_test:
            yield at, by, "nothing"
    elif not (e.kind == Kind.OWE and e.reactor == hand):
        said, edit, vote = (line.said.get(part) for part in ("reason", "edit", "vote"))
        what = short(text(e.type)).lower() if edit is None else f"retry with {shown(edit)}"
        what = what if vote is None else f"votes {shown(vote)}"
        yield at, by, what + (f": {said}" if said else "")


def _failure(line: Line) -> str:
    e, said = line.envelope, line.said
    then = "for good" if e.flags & _LAST else f"again after {span(e.delay)}"
    message = str(said.get("message", "")).partition("\n")[0]
    return f"attempt {e.attempt} failed, {then}: {short(str(said.get('error', '')))}: {message}"


def _owed(step: OwedStep, now: int) -> str:
    what = f"{step.reactor}, since {span(now - step.since)}"
    if step.parked:
        return what + (f"; parked after {step.spent}" if step.attempts else "; parked: its join is full")
    if not step.service:
        return what + "; nobody serves it"
    if step.due > now:
        return what + f"; attempt {step.attempts + 1} in {span(step.due - now)}"
    return what + f"; attempt {step.attempts + 1} is due"


def shown(event: Event | str) -> str:
    said = event if isinstance(event, str) else repr(event)
    return said if len(said) <= _MOST else said[:_MOST] + "…"
