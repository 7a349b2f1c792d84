"""What governs a partition, as rows: contracts in force, kill switches, schedules."""

from farandole.eventstore import Stored
from farandole.projections.fold import Applied, Fold

from .batch import Batch
from .payloads import Payload, as_json, plain, text


def contract_changes(fold: Fold, out: Applied, into: Batch) -> None:
    """Contracts came into force. Of one that is renamed a row stays, which shows what took its place."""
    for contract in out.contracts:
        said = (plain(contract.service), plain(str(contract.content.get("version", ""))))
        rest = (contract.id, as_json(dict(contract.content)), fold.log_time, out.offset)
        if contract.renames:
            key = (fold.partition, text(contract.renames))
            into.reactors.upsert(key, [*key, *said, "renamed", *rest])
        key = (fold.partition, text(contract.reactor))
        into.reactors.upsert(key, [*key, *said, contract.state, *rest])


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
