"""Tables in memory: what a database makes of batches, and the rows of a log, however it is cut."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from farandole.eventstore import Stored
from farandole.projections.fold import Fold
from farandole.projections.runs.batch import Batch
from farandole.projections.runs.payloads import Payloads
from farandole.projections.runs.rows import Rows
from farandole.projections.runs.tables import metadata

COLUMNS = {table.name: [column.name for column in table.columns] for table in metadata.tables.values()}
Tables = dict[str, dict[tuple[Any, ...], list[Any]]]
Restart = Callable[[Fold], Fold]


def apply(batch: Batch, tables: Tables) -> None:
    """What a database makes of a batch, by the words of `farandole.projections.sql.changes`."""
    for changes in batch:
        form = changes.form
        rows = tables.setdefault(form.table.name, {})
        for key, row in changes.new.items():
            assert key not in rows, f"{form.table.name} {key} is there already"
            assert len(row) == len(form.columns)
            rows[key] = list(row)
        for key, row in (*changes.likely.items(), *changes.put.items()):
            before = rows.get(key)
            if before is not None:
                rest = zip(form.put_ways, before[len(key) :], row[len(key) :], strict=True)
                row = [*key, *(_joined(way, old, new) for way, old, new in rest)]
            rows[key] = list(row)
        for key, values in changes.changed.items():
            for row in _those(rows, key):
                for at, way, value in zip(form.places, form.ways, values, strict=True):
                    row[at] = _joined(way, row[at], value)


def _those(rows: Mapping[tuple[Any, ...], list[Any]], key: tuple[Any, ...]) -> list[list[Any]]:
    """Rows whose keys begin so."""
    if key in rows:
        return [rows[key]]
    return [row for found, row in rows.items() if found[: len(key)] == key]


def _joined(way: str, old: Any, new: Any) -> Any:
    if way == "keep":
        return old if new is None else new
    return new if way == "set" else old + new if way == "add" else max(old, new)


def rows_of(
    records: Sequence[Stored],
    cuts: Iterable[int] = (),
    restarts: Restart | None = None,
    *,
    fold: Fold,
    catalogue: Mapping[bytes, bytes],
    choreography: str,
) -> Tables:
    """The rows of one partition.

    Args:
        cuts: numbers of records before which a batch ends.
        restarts: makes of a fold another one, as whoever begins anew there has it.
        fold: an empty one, which is then that of all records.
    """
    tables: Tables = {}
    payloads = Payloads(choreography)
    payloads.learn(catalogue)
    rows, batch = Rows(fold, payloads), Batch()
    ends = set(cuts)
    for number, record in enumerate(records):
        if number in ends:
            rows.settle(batch)
            apply(batch, tables)
            batch = Batch()
            if restarts is not None:
                rows = Rows(restarts(rows.fold), payloads)
        rows.take(record, batch)
    rows.settle(batch)
    apply(batch, tables)
    return tables


def differences(one: Tables, other: Tables) -> list[str]:
    """What differs, for people."""
    found = []
    for table in sorted(one.keys() | other.keys()):
        left, right = one.get(table, {}), other.get(table, {})
        found += [f"{table} {key}: {left.get(key)} | {right.get(key)}" for key in sorted(left.keys() | right.keys(), key=repr) if left.get(key) != right.get(key)]  # fmt: skip
    return found


def open_in(tables: Tables) -> dict[str, set[Any]]:
    """What the rows say is open: runs, and the offsets or keys of what they owe and wait for."""

    def those(table: str, state: str, *states: str) -> set[tuple[Any, ...]]:
        at = COLUMNS[table].index(state)
        return {key[1:] for key, row in tables[table].items() if row[at] in states}

    closed = COLUMNS["runs"].index("closed")
    return {
        "runs": {key[1] for key, row in tables["runs"].items() if row[closed] is None},
        "owed": those("steps", "state", "owed"),
        "parked": those("steps", "state", "parked"),
        "timers": {key[0] for key in those("timers", "state", "open")},
        "decisions": {key[0] for key in those("decisions", "state", "open")},
        "children": {key[0] for key in those("children", "state", "open")},
        "contracts": {(key[0], row[COLUMNS["reactors"].index("contract")]) for key, row in _by_name(tables["reactors"]) if row[COLUMNS["reactors"].index("state")] != "renamed"},
    }  # fmt: skip


def open_in_fold(fold: Fold) -> dict[str, set[Any]]:
    """The same, by the fold."""
    pending = [(run, run.pending) for run in fold.runs.values() if run.pending is not None]
    pairs = [
        (run.offset, pair.trigger.decode(), pair.reactor.decode(), pair.generation.decode(), bool(pair.parked))
        for run in fold.runs.values()
        for pair in run.owed.values()
    ]
    return {
        "runs": {run.offset for run in fold.runs.values()},
        "owed": {tuple(rest) for *rest, parked in pairs if not parked},
        "parked": {tuple(rest) for *rest, parked in pairs if parked},
        "timers": {t.offset for _, p in pending for t in (p.timers or {}).values() if not t.decision},
        "decisions": {d.offset for _, p in pending for d in (p.decisions or {}).values()},
        "children": {c.offset for _, p in pending for c in (p.children or {}).values()},
        "contracts": {(contract.reactor.decode(), contract.id) for contract in fold.contracts},
    }


def _by_name(rows: dict[tuple[Any, ...], list[Any]]) -> list[tuple[tuple[Any, ...], list[Any]]]:
    return [(key[1:], row) for key, row in rows.items()]
