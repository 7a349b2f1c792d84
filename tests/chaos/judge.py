"""Holds what a cell left behind against the promises: the whole log, the ledgers, and the workers' own logs."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

from checker import Report
from checker.record import Kind, Raw
from checker.verdict import Verdict
from flow.order_histories import wrong_histories
from flow.orders_hold import digests_of_the_framework
from flow.recovery import charges

from .effects import charged_too_often, too_many_attempts
from .garbage import not_accounted_for, wrongly_there
from .ledger import executed_again

if TYPE_CHECKING:
    from .stage import Stage

MOST = 20
"""Anomalies of a kind that are told one by one."""
_NEVER = 2**63


async def judge(stage: "Stage", bootstrap: str) -> None:
    """Note figures and anomalies of orders in the stage's trial."""
    trial, found = stage.trial, stage.found
    judge_starts(stage)
    if not stage.poison:
        trial.wrong(*wrong_histories(found.runs)[:MOST])
    attempts, keys, wrong = charges(found, trial.folder / "ledger")
    wrong += charged_too_often(found, stage.notes.all(), trial.folder / "ledger")
    trial.wrong(*(f"I7: {line}" for line in wrong[:MOST]))
    await judge_log(stage, bootstrap)
    trial.figures.update(charged=attempts, keys=keys)


async def judge_log(stage: "Stage", bootstrap: str) -> None:
    """Note figures and anomalies in the stage's trial that are those of any choreography."""
    trial, found = stage.trial, stage.found
    trial.wrong(*found.conclude()[:MOST])
    trial.wrong(*await _rejects(stage, bootstrap))
    trial.wrong(*(f"I7: {line}" for line in islice(too_many_attempts(found, stage.notes.all(), stage.policies), MOST)))
    trial.wrong(*stage.crew.complaints()[:MOST])
    ours = digests_of_the_framework(found)
    if ours != [part.fold.digest for part in found.partitions]:
        trial.wrong("our fold and the checker's do not agree")

    report = Report.of(found)
    deaths = len(stage.crew.deaths)
    executed_again = _executions(stage)
    copies = raw_duplicates(stage)
    trial.figures.update(
        runs=report.runs,
        events=report.events,
        records=report.records,
        crashes=deaths,
        executed_again=executed_again,
        raw_duplicates=copies,
        refused_outcomes=report.refused_outcomes,
    )
    if deaths:
        trial.notes["duplicates executed per crash"] = round(executed_again / deaths, 2)


def judge_starts(stage: "Stage") -> None:
    """Every acknowledged start is a run, and there is no run that nobody started."""
    acknowledged = [id for load in stage.loads for id in load.acknowledged]
    unsure = {id for load in stage.loads for id in load.unsure}
    runs = Counter(run.key.decode() for run in stage.found.runs)
    stage.trial.wrong(*(f"I2: {id} was acknowledged and is no run" for id in acknowledged if not runs[id]))
    stage.trial.wrong(*(f"I1: {id} is {n} runs" for id, n in runs.items() if n > 1))
    stage.trial.wrong(*(f"I3: nobody started {id}" for id in runs.keys() - unsure - set(acknowledged)))
    if unsure:
        stage.trial.figures["starts_given_up"] = len(unsure)


async def _rejects(stage: "Stage", bootstrap: str) -> list[str]:
    """What is not accounted for, once the keeper has had its time."""
    until = time.monotonic() + 30
    while (found := await not_accounted_for(bootstrap, stage.choreography, stage.found))[
        0
    ] and time.monotonic() < until:
        await asyncio.sleep(0.5)
    wrong, copies = found
    stage.trial.figures["rejected_again"] = copies
    garbage = stage.garbage
    unreadable = [
        raw for part in stage.found.partitions for raw, _, verdict in part.records if verdict is Verdict.UNREADABLE
    ]
    wrong += wrongly_there(garbage.planted, garbage.unsure, [raw.value or b"" for raw in unreadable])
    wrong += untried(stage, unreadable)
    return wrong[:MOST]


def untried(stage: "Stage", unreadable: Iterable[Raw]) -> Iterator[str]:
    """One line if no unreadable record came into the log, by its own times, while there was harm: those before the first
    fault, and between two, are not what the promise is about.
    """
    ours = {*stage.garbage.planted}
    under_fault = sum(raw.value in ours and stage.trial.under_fault(raw.time) for raw in unreadable)
    stage.trial.figures["unreadable_under_fault"] = under_fault
    if not under_fault:
        yield "I10: no unreadable record was appended while faults were applied: nothing was tried"


def raw_duplicates(stage: "Stage") -> int:
    """Appends of an outcome beyond the first of its pair and generation, whatever became of them."""
    appends: Counter[tuple[bytes, bytes, bytes]] = Counter()
    for part in stage.found.partitions:
        for _, head, _ in part.records:
            if head is not None and head.kind == Kind.OUTCOME and head.index == 0:
                appends[head.causation, head.reactor, head.generation] += 1
    return appends.total() - len(appends)


def _executions(stage: "Stage") -> int:
    """How many handlers were called again.

    Where crashes are the only fault, each of them was in flight then: begun in that process, and not yet in the log.
    """
    notes = stage.notes.all()
    again = executed_again(notes)
    first: dict[tuple[str, str, str, str], int] = {}
    for part in stage.found.partitions:
        for raw, head, _ in part.records:
            if head is not None and head.kind in (Kind.OUTCOME, Kind.FAILURE) and raw.key is not None:
                attempt = str(head.attempt) if head.kind == Kind.FAILURE else ""
                made = (head.reactor.decode(), raw.key.decode(), head.causation.decode(), attempt)
                first.setdefault(made, raw.time)
    in_flight = 0
    for death in stage.crew.deaths:
        begun = {note.about for note in notes if note.pid == death.pid and note.what == "begins"}
        for *pair, attempt in begun:
            logged = min(first.get((*pair, ""), _NEVER), first.get((*pair, attempt), _NEVER))  # type: ignore[arg-type]
            in_flight += logged > death.at
    stage.trial.figures["in_flight_at_crashes"] = in_flight
    if stage.only_crashes and again > in_flight:
        stage.trial.wrong(f"I4: {again} executions were repeated, and {in_flight} were in flight at the crashes")
    if stage.only_crashes and (copies := raw_duplicates(stage)) > in_flight:
        stage.trial.wrong(f"I4: {copies} outcomes were doubled, and {in_flight} were in flight at the crashes")
    return again
