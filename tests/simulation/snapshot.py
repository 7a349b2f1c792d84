"""All that a fold knows, as plain values that can be compared."""

from typing import Any

from farandole.projections.fold import Fold, Pair, Run


def snapshot(fold: Fold) -> dict[str, Any]:
    return {
        "position": fold.position,
        "log time": fold.log_time,
        "digest": fold.digest,
        "genesis": (fold.log_id, fold.made_of, fold.born, fold.version),
        "settings": (fold.settling, fold.settings),
        "runs": {id: _of_run(run) for id, run in fold.runs.items()},
        "schedules": {
            name: (s.last, sorted(s.children or ()), sorted(s.messages or ()), s.waiting)
            for name, s in fold.schedules.items()
        },
        "closed ids": [(b.opened, b.newest, sorted(b)) for b in fold.closed],
        "command ids": sorted(fold.commands),
        "contracts": {c.reactor: c.id for c in fold.contracts},
        "contracts that were": (fold.contracts.ever, fold.contracts.named),
        "unfinished contracts": [(key, sorted(parts)) for key, parts in fold.frames.items()],
    }


def _of_run(run: Run) -> tuple[Any, ...]:
    joins = {
        reactor: [[event.offset for event in queue] for queue in queues]
        for reactor, queues in (run.joins or {}).items()
        if any(queues)
    }
    owed = {pair.key: _of_pair(pair) for pair in run.owed.values()}
    life = (run.start, run.offset, run.state, run.result, run.end, run.result_offset, run.touched, run.paused)
    return (life, owed, joins, run.kept or [], run.unserved, run.parked, _of_children(run))


def _of_children(run: Run) -> tuple[Any, ...]:
    if run.pending is None:
        return (None, [], [], 0)
    told = [(m.id, m.n, m.kind, m.key, m.offset, m.since) for m in (run.pending.messages or {}).values()]
    return (run.pending.parent, sorted(run.pending.children or ()), told, run.pending.told)


def _of_pair(pair: Pair) -> tuple[Any, ...]:
    unfinished = [(key, sorted(parts)) for key, parts in (pair.unfinished or {}).items()]
    return (
        pair.inputs, pair.types, pair.since, pair.due, pair.attempts, pair.forgiven, pair.parked, pair.hops,
        pair.of_failure, unfinished,
    )  # fmt: skip
