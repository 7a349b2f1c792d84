"""Holds what a research team left behind against what is promised of agents: the logs, and the books outside."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from checker import Examination
from checker.ids import step_key
from checker.record import Kind
from checker.verdict import Verdict
from flow.orders_hold import digests_of_the_framework

from .ledger import Note, executed_again
from .team import SESSION, Team
from .team_steps import KILLED, RESEARCHERS, SETTLED, run_id

MODEL_CALLS = 1 + 2 * RESEARCHERS + 1 + 2
TOOL_CALLS = 2 * RESEARCHERS + 1
"""Of a run of the team, its researchers' runs included."""


@dataclass(frozen=True)
class Recorded:
    """What came of a call, in the log.

    Attributes:
        call: tells the calls of a run apart.
        key: of the step that made it.
        at: milliseconds since 1970 UTC, when the log took it.
    """

    run: str
    call: tuple[object, ...]
    key: str
    at: int


def judge_team(team: Team, rounds: int) -> None:
    """Note figures and anomalies in the trial of a team that has played so many rounds."""
    trial = team.trial
    for name, found in team.found.items():
        trial.wrong(*(f"{name}: {line}" for line in found.conclude()))
        if digests_of_the_framework(found) != [part.fold.digest for part in found.partitions]:
            trial.wrong(f"{name}: our fold and the checker's do not agree")
    trial.wrong(*team.crew.complaints())
    models = [each for found in team.found.values() for each in _recorded(found, b"ModelReplied", _TURN)]
    tools = [each for found in team.found.values() for each in _recorded(found, b"ToolReturned", _CALL)]
    trial.wrong(
        *_once("model", models, MODEL_CALLS * len(KILLED) * rounds),
        *_once("tool", tools, TOOL_CALLS * len(KILLED) * rounds),
    )
    calls = team.calls.all()
    trial.wrong(*_kept("model", models, calls), *_kept("tool", tools, calls), *_keys(calls))
    trial.wrong(*_published(team, rounds), *_as_allowed(team.found["team"]))
    _resumed(team)
    notes = team.notes.all()
    trial.figures.update(
        runs=sum(len(found.runs) for found in team.found.values()),
        events=sum(len(run.history) for found in team.found.values() for run in found.runs),
        records=sum(found.records for found in team.found.values()),
        crashes=len(team.crew.deaths),
        steps_died_at=len(team.deaths),
        executed_again=executed_again(notes),
        recorded_calls=len(models) + len(tools),
        calls_made=len(calls),
    )
    trial.notes["deaths by point"] = dict(Counter(note.about[-1] for note in team.deaths))


_TURN = ("agent", "conversation", "turn")
_CALL = (*_TURN, "call")


def _recorded(found: Examination, kind: bytes, named: tuple[str, ...]) -> Iterator[Recorded]:
    for run, event, raw, value in _events(found, kind):
        key = step_key(run.key, run.start_id, *event.pair[:2])
        yield Recorded(run.key.decode(), tuple(value[each] for each in named), key, raw.time)


def _events(found: Examination, kind: bytes) -> Iterator[tuple[Any, Any, Any, dict[str, Any]]]:
    for part in found.partitions:
        at = {raw.offset: (raw, head) for raw, head, _ in part.records}
        for run in part.runs:
            for event in run.history:
                if event.type.endswith(kind):
                    raw, head = at[event.offset]
                    yield run, event, raw, found.catalogue.decode(raw.value, head.schema)


def _once(what: str, recorded: list[Recorded], count: int) -> Iterator[str]:
    """Each call stands in the log once."""
    times = Counter((each.run, each.call) for each in recorded)
    yield from (f"{what} call {call} of {run} is recorded {n} times" for (run, call), n in times.items() if n > 1)
    if len(recorded) != count:
        yield f"{len(recorded)} {what} calls are recorded, and {count} should be"


def _kept(what: str, recorded: list[Recorded], calls: list[Note]) -> Iterator[str]:
    """What is recorded was called, and was not called again once it was recorded."""
    at = {each.key: each.at for each in recorded}
    made = defaultdict(list)
    for note in calls:
        if note.what == what:
            made[note.about[0]].append(note)
    yield from (f"{what} call {key} is recorded, and was never made" for key in at.keys() - made.keys())
    yield from (f"{what} call {key} was made, and is not recorded" for key in made.keys() - at.keys())
    for key in at.keys() & made.keys():
        late = [note for note in made[key] if note.at > at[key]]
        yield from (
            f"{what} call {key} was made {note.at - at[key]} ms after its result was in the log" for note in late
        )
        if len({note.pid for note in made[key]}) < len(made[key]):
            yield f"{what} call {key} was made twice by one process"


def _keys(calls: list[Note]) -> Iterator[str]:
    """The same call has the same key, whoever makes it, and another call another one."""
    asked, keys = defaultdict(set), defaultdict(set)
    for note in calls:
        key, *what = note.about
        asked[key].add((note.what, *what))
        keys[note.what, *what].add(key)
    yield from (
        f"one key, {key}, came with {len(each)} different calls" for key, each in asked.items() if len(each) > 1
    )
    yield from (f"one call, {what}, came with {len(each)} keys" for what, each in keys.items() if len(each) > 1)


def _published(team: Team, rounds: int) -> Iterator[str]:
    """One text for each topic: in the log, and at the press."""
    one = {run_id(n, killed): 1 for n in range(rounds) for killed in KILLED}
    for kind in (b".Published", b".PublisherPublishCalled"):
        told = Counter(run.key.decode() for run, *_ in _events(team.found["team"], kind))
        if told != one:
            yield f"{kind.decode()} stands in {dict(told)}"
    keys = Counter(run for run, _ in {(n.about[1], n.about[0]) for n in team.calls.all() if n.about[2] == "publish"})
    if keys != one:
        yield f"the press was given {dict(keys)} texts"


def _as_allowed(found: Examination) -> Iterator[str]:
    """What was published is what was written, and a person had allowed it."""
    at: dict[bytes, dict[str, tuple[int, dict[str, Any]]]] = {kind: {} for kind in (_WRITTEN, _ALLOWED, _CALLED)}
    for kind, told in at.items():
        told.update({run.key.decode(): (event.offset, value) for run, event, _, value in _events(found, kind)})
    for run, (called, call) in at[_CALLED].items():
        allowed, _ = at[_ALLOWED].get(run, (called, {}))
        if allowed >= called:
            yield f"{run} published at {called} what nobody had allowed"
        _, written = at[_WRITTEN].get(run, (0, {}))
        if (args := json.loads(call["args"])) != written:
            yield f"{run} published {args}, and had written {written}"


_WRITTEN, _ALLOWED, _CALLED = b".Written", b".PublisherToolApproved", b".PublisherPublishCalled"


def _resumed(team: Team) -> None:
    """Note, of each step that was cut short, how long it took until its outcome was in the log."""
    logged: dict[tuple[str, str], int] = {}
    for found in team.found.values():
        for part in found.partitions:
            for raw, head, verdict in part.records:
                if head is not None and head.kind == Kind.OUTCOME and verdict == Verdict.ADMITTED:
                    logged.setdefault((head.reactor.decode(), head.causation.decode()), raw.time)
    for note in team.deaths:
        reactor, _, trigger, point = note.about
        if point not in SETTLED:
            what = f"another takes over after {SESSION:g} s" if note.pid in team.replaced else point
            team.trial.recovered(what, (logged[reactor, trigger] - note.at) / 1000)
