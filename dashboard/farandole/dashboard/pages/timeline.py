"""Where a run's time went: a row of bars for each step and each thing that was waited for, and how much was work.

Pure. A step is *queued* from when it is owed until somebody takes it, which a claim or an attempt's end tells; *working*
until the attempt's end; *backing off* until the next attempt is due; *parked* from the failure after which there is none.
Of a step that nobody claimed, work and queue cannot be told apart, and all of it is shown as work.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

from farandole.projections.runs.query import ChildRow, DecisionRow, FailureRow, RecordRow, RunRow, StepRow, TimerRow

from .calls import calls_in
from .times import span
from .words import short

WIDTH: Final = 1000.0
MEANS: Final = {
    "queued": "owed, not begun", "work": "working", "backoff": "backing off after a failure",
    "parked": "failed for good, parked", "people": "waiting for people", "timer": "waiting for a timer",
    "child": "waiting for a child run", "failed": "a failed attempt",
}  # fmt: skip
_WAITS: Final = frozenset(("people", "timer", "child", "parked"))
_LEAST: Final = 2.5


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch of time, in parts of `WIDTH`."""

    kind: str
    x: float
    width: float
    says: str


@dataclass(slots=True)
class Line:
    """A row of the timeline."""

    name: str
    detail: str
    tone: str
    since: int
    spans: list[tuple[str, int, int, str]] = field(default_factory=list)
    marks: list[tuple[int, str]] = field(default_factory=list)
    """When attempts failed, and with what."""
    took: int = 0
    attempts: int = 0
    link: str = ""
    bars: list[Bar] = field(default_factory=list)
    ticks: list[Bar] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Timeline:
    """A run's time.

    Attributes:
        lines: rows, the oldest first.
        whole: one bar over all: what the run did at each moment.
        working, waiting, backing_off: milliseconds of each in all; where steps overlap, time counts once.
    """

    lines: Sequence[Line]
    whole: Sequence[Bar]
    since: int
    until: int
    working: int
    waiting: int
    backing_off: int
    queued: int
    marks: Sequence[tuple[float, str]]
    left_out: int


def timeline(
    run: RunRow, steps: Iterable[StepRow], records: Iterable[RecordRow], failures: Iterable[FailureRow],
    timers: Iterable[TimerRow], decisions: Iterable[DecisionRow], children: Iterable[ChildRow], now: int,
    most: int = 200,
) -> Timeline:  # fmt: skip
    """The timeline of a run.

    Args:
        records: all of the run's.
        now: where what is open ends.
        most: rows at most; those that took longest stay.
    """
    records = list(records)
    end = _end(run, now)
    failed: dict[tuple[str, str], list[FailureRow]] = {}
    for failure in failures:
        failed.setdefault((failure.trigger, failure.reactor), []).append(failure)
    claims: dict[tuple[str, str, str], list[int]] = {}
    times, retried = {record.log_offset: record.at for record in records}, {}
    for record in records:
        if record.verdict == "admitted" and record.kind == "claim":
            claims.setdefault((record.trigger, record.reactor, record.generation), []).append(record.at)
        elif record.verdict == "admitted" and record.kind == "retry":
            retried[record.trigger] = record.at
    lines = [
        _step(
            step, times.get(step.owed_at, step.since), failed.get((step.trigger, step.reactor), ()),
            sorted(claims.get((step.trigger, step.reactor, step.generation), ())), retried, end,
        )
        for step in steps
    ]  # fmt: skip
    for called in calls_in(records):
        line = Line(called.name, called.detail, "good", called.since)
        line.spans.append(("work", called.since, called.until, f"called for {span(called.until - called.since)}"))
        lines.append(line)
    for timer in timers:
        line = Line(short(timer.type), f"timer, {timer.state}", "wait", timer.since)
        line.spans.append(("timer", timer.since, _until(timer.ended, end), f"timer for {short(timer.type)}"))
        lines.append(line)
    for decision in decisions:
        if decision.since is not None:
            line = Line(decision.question or "a question", f"people, {decision.state}", "wait", decision.since)
            line.spans.append(
                ("people", decision.since, _until(decision.ended, end), decision.question or "a question")
            )
            lines.append(line)
    for child in children:
        line = Line(child.child, f"child run, {child.state}", "wait", child.since, link=child.child)
        line.spans.append(("child", child.since, _until(child.ended, end), f"child run {child.child}"))
        lines.append(line)
    for line in lines:
        line.took = sum(upto - since for _, since, upto, _ in line.spans)
    kept = lines
    if len(lines) > most:
        kept = sorted(sorted(lines, key=lambda line: -line.took)[:most], key=lambda line: line.since)
    kept = sorted(kept, key=lambda line: (line.since, line.tone))
    scale = WIDTH / max(end - run.started, 1)
    for line in kept:
        line.bars = [_bar(kind, since, upto, said, run.started, scale) for kind, since, upto, said in line.spans]
        line.ticks = [Bar("failed", round((at - run.started) * scale, 2), 0, said) for at, said in line.marks]
    whole, sums = _whole(lines, run.started, end, scale)
    return Timeline(
        kept, whole, run.started, end, sums["work"], sums["wait"], sums["backoff"], sums["queued"],
        _scale(end - run.started), len(lines) - len(kept),
    )  # fmt: skip


def _end(run: RunRow, now: int) -> int:
    return max(run.closed if run.closed is not None else max(now, run.touched), run.started + 1)


def _until(ended: int | None, end: int) -> int:
    return end if ended is None else ended


def _step(
    step: StepRow,
    since: int,
    failures: Sequence[FailureRow],
    claims: Sequence[int],
    retried: Mapping[str, int],
    end: int,
) -> Line:
    took = ", ".join(dict.fromkeys(short(name) for name in step.types or ()))
    tone = {"parked": "bad", "failed": "bad", "owed": "work", "done": "good"}.get(step.state, "mute")
    line = Line(step.reactor, took, tone, since, attempts=step.attempts)
    at, ended = since, _until(step.ended, end)
    for failure in failures:
        _attempt(line, at, failure.at, claims)
        line.marks.append((failure.at, f"attempt {failure.attempt}: {short(failure.error)}"))
        again = failure.final or failure.retry is None
        at = min(max(retried.get(failure.id, ended) if again else failure.retry or 0, failure.at), ended)
        said = f"parked: {short(failure.error)}" if again else f"backing off for {span(at - failure.at)}"
        line.spans.append(("parked" if again else "backoff", failure.at, at, said))
    if step.state == "parked" and not failures:
        line.spans.append(("parked", at, end, "parked"))
    elif step.state != "parked" and (at < ended or not failures):
        _attempt(line, at, ended, claims, begun=step.ended is not None or bool(step.claimed_by))
    return line


def _attempt(line: Line, since: int, upto: int, claims: Sequence[int], begun: bool = True) -> None:
    began = next((at for at in claims if since <= at <= upto), None)
    if began is not None and began > since:
        line.spans.append(("queued", since, began, f"queued {span(began - since)}"))
        since = began
    kind = "work" if begun or began is not None else "queued"
    line.spans.append((kind, since, max(upto, since), f"{MEANS[kind]}, {span(upto - since)}"))


def _bar(kind: str, since: int, upto: int, said: str, start: int, scale: float) -> Bar:
    x = round((since - start) * scale, 2)
    width = round(max((upto - since) * scale, _LEAST), 2)
    return Bar(kind, min(x, WIDTH - _LEAST), min(width, WIDTH - min(x, WIDTH - _LEAST)), said)


def _whole(lines: Sequence[Line], start: int, end: int, scale: float) -> tuple[list[Bar], dict[str, int]]:
    """What the run did at each moment: work before back-off before waiting."""
    points = sorted({start, end, *(at for line in lines for _, a, b, _ in line.spans for at in (a, b))})
    edges: dict[int, list[tuple[str, int]]] = {}
    for line in lines:
        for kind, since, upto, _ in line.spans:
            if upto > since:
                edges.setdefault(since, []).append((kind, 1))
                edges.setdefault(upto, []).append((kind, -1))
    open_: dict[str, int] = {}
    sums = {"work": 0, "wait": 0, "backoff": 0, "queued": 0, "idle": 0}
    merged: list[list[Any]] = []
    for at, upto in pairwise(points):
        for kind, by in edges.get(at, ()):
            open_[kind] = open_.get(kind, 0) + by
        if upto <= start or at >= end:
            continue
        at_work = next((kind for kind in ("work", "backoff", "queued") if open_.get(kind)), None)
        doing = at_work or next((kind for kind in ("people", "child", "timer", "parked") if open_.get(kind)), "idle")
        sums["wait" if doing in _WAITS else doing] += upto - at
        if merged and merged[-1][0] == doing:
            merged[-1][2] = upto
        else:
            merged.append([doing, at, upto])
    bars = [
        Bar(
            kind,
            round((since - start) * scale, 2),
            round((upto - since) * scale, 2),
            f"{MEANS.get(kind, 'nothing to do')}, {span(upto - since)}",
        )
        for kind, since, upto in merged
    ]
    return bars, sums


def _scale(length: int) -> list[tuple[float, str]]:
    return [(round(WIDTH * part / 4, 1), span(length * part / 4)) for part in range(5)]
