"""What governs a partition, as rows: contracts in force, kill switches, schedules.

Where a log begins with a checkpoint, the fold knows what is in force, and neither since when nor who said so: it is so since the
checkpoint then.
"""

from collections.abc import Iterable
from typing import Final

from farandole.eventstore import Stored
from farandole.projections.fold import Contract, Fold

from .batch import Batch
from .payloads import Payload, as_json, plain, text

UNKNOWN: Final = ("since", "since_at", "by", "why", "touched")
"""Columns that say of what came before a checkpoint no more than that."""


def in_force(fold: Fold, into: Batch) -> None:
    """All that governs the partition where its rows begin."""
    for contract in fold.contracts:
        _of_contract(fold, contract, fold.position - 1, into)
    for reactor, (number, stopped) in fold.stopped.items():
        key = (fold.partition, text(reactor))
        into.policies.upsert(key, [*key, stopped, number, "", "", fold.log_time, fold.position - 1])
    for name in fold.schedules:
        schedule_changes(fold, name, into)


def contract_changes(fold: Fold, contracts: Iterable[Contract], offset: int, into: Batch) -> None:
    """Contracts came into force. Of one that is renamed a row stays, which shows what took its place."""
    for contract in contracts:
        if contract.renames:
            _of_contract(fold, contract, offset, into, renamed=True)
        _of_contract(fold, contract, offset, into)


def _of_contract(fold: Fold, contract: Contract, offset: int, into: Batch, *, renamed: bool = False) -> None:
    key = (fold.partition, text(contract.renames if renamed else contract.reactor))
    said = (plain(contract.service), plain(str(contract.content.get("version", ""))))
    state, content = "renamed" if renamed else contract.state, as_json(dict(contract.content))
    into.reactors.upsert(key, [*key, *said, state, contract.id, content, fold.log_time, offset])


def policy_changes(fold: Fold, record: Stored, payload: Payload, into: Batch) -> None:
    """A reactor, or all of them (the empty name), was stopped or may go on."""
    fields = payload.fields
    if fields is None:
        return
    key = (fold.partition, plain(fields["reactor"]))
    said = (fields["stopped"], fields["number"], plain(fields["by"]), plain(fields["reason"]))
    into.policies.upsert(key, [*key, *said, fold.log_time, record.offset])


def schedule_changes(fold: Fold, name: bytes, into: Batch) -> None:
    """A schedule has ticked, or heard of a run that it started."""
    schedule = fold.schedules.get(name)
    if schedule is None:
        return
    key = (fold.partition, text(name))
    runs = sorted(text(child.key) for child in (schedule.children or {}).values())
    waiting = None if schedule.waiting is None else schedule.waiting[0]
    into.schedules.upsert(key, [*key, schedule.last, waiting, as_json(runs), fold.log_time])
