"""Whether the rows of a partition say of its runs what everybody else says: the fold, as `farandole status` asks it, and
what was admitted, as `farandole show` tells it.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from farandole.projections.fold import Fold, Result, Run, RunStatus, status_of

from .memory import COLUMNS, Tables, open_in, open_in_fold

_ENDS = {Result.ENDED: "completed", Result.CANCELLED: "cancelled", Result.EXPIRED: "expired"}


def disagreements(
    tables: Tables, fold: Fold, histories: Mapping[int, Sequence[int]], results: Mapping[int, Result]
) -> Iterator[str]:
    """What differs, for people.

    Args:
        fold: of the same records.
        histories: by the offset of its start, the offsets of the events of each run in the order of admission.
        results: by the same, the result of each run that has one.
    """
    said, known = open_in(tables), open_in_fold(fold)
    for what, expected in known.items():
        if said[what] != expected:
            yield f"open {what}: {sorted(said[what] - expected)[:3]} too many, {sorted(expected - said[what])[:3]} missing"
    runs = _named(tables, "runs")
    steps: dict[int, list[dict[str, Any]]] = {}
    for step in _named(tables, "steps").values():
        steps.setdefault(step["run"], []).append(step)
    for run in fold.runs.values():
        if (row := runs.get((fold.partition, run.offset))) is not None:
            yield from _of_open(fold, run, row, steps.get(run.offset, []))
    for offset, result in results.items():
        row = runs[fold.partition, offset]
        closed = row["closed"] is not None
        if closed and row["status"] != _ENDS[result]:
            yield f"run {row['run_id']} is {row['status']} in the tables, and {_ENDS[result]}"
    yield from _histories(tables, runs, histories)


def _of_open(fold: Fold, run: Run, row: dict[str, Any], steps: Sequence[dict[str, Any]]) -> Iterator[str]:
    status = status_of(fold, run)
    for what, is_, should in (*_counted(row, status), *_stepped(steps, status)):
        if is_ != should:
            yield f"run {row['run_id']}: its {what} is {is_!r} in the tables, and {should!r}"


def _counted(row: dict[str, Any], said: RunStatus) -> Iterator[tuple[str, Any, Any]]:
    """Columns of a run, each with what is there and what should be."""
    owed = [step for step in said.owed if not step.parked]
    # The tables ask no clock: a step whose next attempt is due is being tried again.
    expected = "retrying" if said.status == "running" and owed and _tried(row) else said.status
    yield "status", row["status"], expected
    yield "number of steps owed", row["owed"], len(owed)
    yield "number of steps parked", row["parked"], len(said.owed) - len(owed)
    yield "oldest step", row["since"], min((step.since for step in owed), default=None)
    yield "next attempt", row["due"], min((step.due for step in owed), default=None)
    yield "number of timers", row["timers"], len(said.timers)
    yield "number of decisions", row["decisions"], len(said.decisions)
    yield "number of children", row["children"], len(said.children)
    yield "number of messages", row["messages"], len(said.messages)
    yield "deadline", row["deadline"] or 0, said.deadline
    yield "number of events that nobody takes", row["unserved"], said.unserved
    yield "pause", row["paused"], said.paused
    yield "end", row["result_type"] or "", said.end
    yield "time of change", row["touched"], said.touched
    yield "parent", row["parent"], said.parent.run_id if said.parent is not None else None


def _tried(row: dict[str, Any]) -> bool:
    return bool(row["status"] == "retrying")


def _stepped(steps: Sequence[dict[str, Any]], said: RunStatus) -> Iterator[tuple[str, Any, Any]]:
    """The steps of a run that are owed or parked, each as the table has it and as it is."""
    table = {(s["trigger"], s["reactor"], s["generation"]): s for s in steps if s["state"] in ("owed", "parked")}
    for step in said.owed:
        row = table.pop((step.trigger, step.reactor, step.generation), None)
        is_ = row and (
            row["state"], row["since"], row["due"], row["attempts"], row["lost"], row["branch"], row["parked_by"] or "",
            tuple(json.loads(row["inputs"])), tuple(json.loads(row["types"])), row["claimed_until"] or 0,
        )  # fmt: skip
        should = (
            "parked" if step.parked else "owed", step.since, step.due, step.attempts, step.lost, step.branch, step.parked,
            step.inputs, step.trigger_types, step.claimed_until,
        )  # fmt: skip
        yield f"step {step.reactor} of {step.trigger}", is_, should
    yield "further steps", sorted(table), []


def _histories(
    tables: Tables, runs: Mapping[tuple[Any, ...], dict[str, Any]], histories: Mapping[int, Sequence[int]]
) -> Iterator[str]:
    found: dict[int, list[tuple[int, int, int]]] = {}
    for (_, offset), row in _named(tables, "records").items():
        if row["place"] is not None:
            found.setdefault(row["run"], []).append((row["admitted"], row["place"], offset))
    for (_, run), row in runs.items():
        told = [offset for *_, offset in sorted(found.pop(run, []))]
        if told != list(histories.get(run, [])):
            yield f"run {row['run_id']}: its history is {told} in the tables, and {list(histories.get(run, []))}"
        if row["events"] != len(told):
            yield f"run {row['run_id']}: it has {row['events']} events in the tables, and {len(told)}"
    if found:
        yield f"there are histories of runs that are not there: {sorted(found)}"


def _named(tables: Tables, name: str) -> dict[tuple[Any, ...], dict[str, Any]]:
    return {key: dict(zip(COLUMNS[name], row, strict=True)) for key, row in tables.get(name, {}).items()}
