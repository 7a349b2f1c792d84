"""The promises, looked at from the history alone: what was admitted, when, and which contracts were in force then.

They are worked out anew and do not trust the fold's own account of what is owed, where that can be done.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from .catalogue import Undecodable
from .ids import derived
from .record import Flag, Head, Kind, Raw
from .rules import children
from .state import Event, Run
from .verdict import Verdict
from .waits import broken_waits

if TYPE_CHECKING:
    from .fold import Fold

Judged = tuple[Raw, Head | None, Verdict]


def broken_promises(fold: "Fold", runs: Sequence[Run], records: Sequence[Judged], *, complete: bool) -> Iterator[str]:
    """One line for each promise that the records of a partition break."""
    where = f"partition {fold.partition}"
    for run in runs:
        for problem in _of_run(fold, run, complete):
            yield f"{where}: run {run.key.decode(errors='replace')}: {problem}"
    for problem in broken_waits(records):
        yield f"{where}: {problem}"
    by_key: dict[bytes | None, list[tuple[Raw, Head, Verdict]]] = {}
    for raw, head, verdict in records:
        if head is not None:
            by_key.setdefault(raw.key, []).append((raw, head, verdict))
    for raw, head, _ in records:
        if head is not None and (wrong := _value(fold, raw, head)):
            yield f"{where}: offset {raw.offset}: {wrong}"
    for key, judged in by_key.items():
        for problem in (*_one_outcome(judged), *_ids(judged)):
            yield f"{where}: {'run ' + key.decode(errors='replace') if key else 'no run'}: {problem}"


def _of_run(fold: "Fold", run: Run, complete: bool) -> Iterator[str]:
    if complete and run.state != "closed":
        owes = ", ".join(
            f"{d.pair[1].decode(errors='replace')} of {d.pair[0].decode(errors='replace')}" for d in run.owed.values()
        )
        yield f"is {run.state}, and owes {owes or 'nothing'}"
    if run.state == "closed" and run.owed:
        yield "is closed, and owes something"
    seen: dict[bytes, Event] = {}
    for event in run.history:
        if event.id in seen:
            yield f"event {event.id.decode(errors='replace')} is in the history twice"
        seen[event.id] = event
    yield from _causes(run)
    yield from _discharged(fold, run)


def _causes(run: Run) -> Iterator[str]:
    """Every outcome is of an event, or a failure, that the same run admitted earlier, or of what a fan-in was owed earlier."""
    known = {e.id: e.at for e in run.history} | {
        d.pair[0]: d.since for d in run.debts if d.of_failed and not d.gathered
    }
    gathered = {d.pair: d.since for d in run.debts if d.gathered}
    for event in run.history:
        if event.pair is None:
            continue
        cause = gathered.get(event.pair, known.get(event.pair[0]))
        if cause is None:
            yield f"event {event.id.decode(errors='replace')} follows {event.pair[0].decode(errors='replace')}, which the run does not have"
        elif cause >= event.at:
            yield f"event {event.id.decode(errors='replace')} was admitted before the event that it follows"
        if event.id != derived(*event.pair, event.index):
            yield f"event {event.id.decode(errors='replace')} has not the id that derives from what it follows"


def _discharged(fold: "Fold", run: Run) -> Iterator[str]:
    """Every event admitted while a contract for it alone was in force has one outcome, a failure that others took, or was retired."""
    if run.result in ("cancelled", "expired") or any(e.flags & Flag.DROPS for e in run.history):
        return
    settled = Counter(
        debt.pair for debt in run.debts if debt.settled in ("outcome", "handled", "moved", "retired", "edited")
    )
    ends_at = next((e.at for e in run.history if e.flags & Flag.END), None)
    in_force: dict[bytes, tuple[frozenset[bytes], ...]] = {}
    changes = list(fold.contracts.history)
    for event in sorted(run.history, key=lambda e: e.at):
        while changes and changes[0].offset < event.at:
            contract = changes.pop(0)
            in_force.pop(contract.renames, None)
            in_force[contract.reactor] = (
                contract.takes if contract.active and not contract.on_failures and not contract.gathers else ()
            )
        for reactor, takes in in_force.items():
            if len(takes) != 1 or event.type not in takes[0]:
                continue
            count = settled[event.id, reactor, b""]
            if count > 1:
                yield f"{reactor.decode(errors='replace')} of {event.id.decode(errors='replace')} was discharged {count} times"
            elif not count and run.state == "closed" and (ends_at is None or event.hops <= fold.settings["drain"]):
                yield f"{reactor.decode(errors='replace')} of {event.id.decode(errors='replace')} was never done"


def _value(fold: "Fold", raw: Raw, head: Head) -> str | None:
    """Every value is what its fingerprint says; an outcome of no events has none."""
    if head.flags & Flag.CODED:
        return None
    if head.kind == Kind.OUTCOME and head.count == 0:
        return None if raw.value is None else "an outcome of no events has a value"
    if head.kind == Kind.CLAIM:
        return None if raw.value is None else "a claim has a value"
    if head.kind == Kind.EXPIRY and not head.causation:
        return None if raw.value is None else "the end of a run's time has a value"
    try:
        fold.catalogue.decode(raw.value, head.schema)
    except Undecodable as e:
        return str(e)
    schema = (raw.value and fold.catalogue.numbered(raw.value)) or head.schema
    named, type = fold.catalogue.name(schema), _type_of_value(head)
    return (
        None if named.encode() == type else f"its type is {type.decode(errors='replace')}, its schema that of {named}"
    )


def _type_of_value(head: Head) -> bytes:
    """The type of what the value holds; of some records it stands at the end of ``extra``."""
    if head.kind == Kind.OUTCOME and head.flags & Flag.CHILD:
        extra = head.extra[1:]
        for _ in ("choreography", "run id"):
            extra = extra[1 + extra[0] :]
        return extra
    if head.kind == Kind.OUTCOME and head.flags & Flag.AFTER:
        return head.extra
    if head.kind == Kind.TICK:
        return head.extra[9:]
    if head.kind in (Kind.CHILD_FAILED, Kind.DELIVERED):
        return b"farandole.ChildNews"
    told = children.news(head) if head.kind == Kind.CHILD_ENDED else None
    return told[1] if told is not None else head.type


def _one_outcome(judged: Iterable[tuple[Raw, Head, Verdict]]) -> Iterator[str]:
    """Each pair has one admitted outcome at most: by the records that completed one."""
    admitted = Counter(
        (head.causation, head.reactor, head.generation)
        for _, head, verdict in judged
        if head.kind == Kind.OUTCOME and verdict is Verdict.ADMITTED
    )
    for (trigger, reactor, _), count in admitted.items():
        if count > 1:
            yield f"{reactor.decode(errors='replace')} of {trigger.decode(errors='replace')} has {count} admitted outcomes"


def _ids(judged: Iterable[tuple[Raw, Head, Verdict]]) -> Iterator[str]:
    """Ids of outcomes and failures derive from their pairs, refused ones included."""
    for raw, head, _ in judged:
        pair = (head.causation, head.reactor, head.generation)
        if head.kind == Kind.OUTCOME and head.id != derived(*pair, head.index):
            yield f"the outcome at offset {raw.offset} has not the id that derives from its pair"
        if head.kind == Kind.FAILURE and head.id != derived(*pair, -head.attempt):
            yield f"the failure at offset {raw.offset} has not the id that derives from its pair"
