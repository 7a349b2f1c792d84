"""All that a fold knows, as plain values that can be compared, whatever the order in which it came to know it."""

from collections.abc import Callable
from typing import Any

from farandole.projections.fold import Fold, Pair, Run
from farandole.projections.fold.branches import Branch
from farandole.projections.fold.pending import Pending
from farandole.schemas.envelope import Kind


def path(branch: Branch | None) -> tuple[tuple[bytes, int], ...]:
    return () if branch is None else (*path(branch.fanout.branch), (branch.fanout.id, branch.index))


def snap_branches(run: Run) -> Any:
    pending = run.pending or Pending()
    gatherings = {
        (fanout.id, g.reactor): (
            g.need,
            g.due,
            {index: (list(gift.offsets), list(gift.types), gift.hops) for index, gift in g.got.items()},
        )
        for fanout in (pending.fanouts or {}).values()
        for g in fanout.gatherings or ()
    }
    joins = {
        (path(branch), reactor): [[event.offset for event in queue] for queue in branch.joins[reactor]]
        for reactor, branches in (pending.lacking or {}).items()
        for branch in branches
        if branch.joins
    }
    return gatherings, joins, {type: event.offset for type, event in (pending.latest or {}).items()}


def debt_branch(pair: Pair) -> Any:
    return path(pair.branch)


def snap_compensation(run: Run) -> Any:
    pending = run.pending
    return (False, []) if pending is None else (pending.undo, [tuple(undo) for undo in pending.stack or ()])


def debt_claims(pair: Pair) -> tuple[object, ...]:
    work = pair.work
    return (b"", 0, 0, {}) if work is None else (work.holder, work.until, work.lost, work.once or {})


def snap_timers(run: Run) -> Any:
    if run.pending is None:
        return [], 0, {}
    timers = (run.pending.timers or {}).values()
    return (
        sorted((t.id, t.type, t.due, t.flags, sorted(t.unless), t.decision) for t in timers),
        run.pending.deadline,
        run.pending.last or {},
    )


def snap_decisions(run: Run) -> Any:
    decisions = (run.pending.decisions or {}).values() if run.pending is not None else ()
    return sorted(
        (
            d.id,
            d.quorum,
            d.hash,
            d.answers,
            sorted((d.votes or {}).items()),
            d.otherwise.id if d.otherwise is not None else b"",
        )
        for d in decisions
    )


def snap_children(run: Run) -> Any:
    pending = run.pending
    if pending is None:
        return None, {}, [], 0
    parent = pending.parent
    return (
        None if parent is None else tuple(parent),
        {c.id: (c.type, c.offset, c.to, c.key) for c in (pending.children or {}).values()},
        [
            (m.id, m.n, Kind(m.kind).name, m.to, m.key, m.offset, m.since, m.flags, m.name)
            for m in (pending.messages or {}).values()
        ],
        pending.told,
    )


OF_RUNS: tuple[Callable[[Run], Any], ...] = (
    snap_branches,
    snap_children,
    snap_compensation,
    snap_timers,
    snap_decisions,
)
"""Functions ``snap_<feature>``, each giving what the model's method of that name gives."""
OF_PAIRS: tuple[Callable[[Pair], Any], ...] = (debt_branch, debt_claims)
"""Likewise ``debt_<feature>``."""


def snapshot(fold: Fold) -> dict[str, Any]:
    return {
        "position": fold.position,
        "log_time": fold.log_time,
        "digest": fold.digest,
        "version": fold.version,
        "genesis": (fold.log_id, fold.made_of, fold.born),
        "settling": fold.settling,
        "settings": {name: getattr(fold.settings, name) for name in fold.settings.__slots__},
        "runs": {id: of_run(run) for id, run in fold.runs.items()},
        "closed": [(b.opened, b.newest, sorted(b)) for b in fold.closed],
        "commands": sorted(fold.commands),
        "contracts": {c.reactor: c.id for c in fold.contracts},
        "ever": fold.contracts.ever,
        "stopped": fold.stopped,
        "named": fold.contracts.named,
        "schedules": {
            s.name: (
                s.last,
                {c.id: (c.offset, c.key) for c in (s.children or {}).values()},
                [(m.id, m.n, Kind(m.kind).name, m.key, m.offset, m.since) for m in (s.messages or {}).values()],
                s.waiting,
            )
            for s in fold.schedules.values()
        },
        "frames": [(key, {index: c.id for index, c in parts.items()}) for key, parts in fold.frames.items()],
    }


def of_run(run: Run) -> dict[str, Any]:
    return {
        "start": (run.start, run.offset),
        "state": run.state.name,
        "result": (run.result.name, run.end, run.result_offset),
        "touched": run.touched,
        "paused": run.paused,
        "owed": {pair.key: of_pair(pair) for pair in run.owed.values()},
        "joins": {
            reactor: [[event.offset for event in queue] for queue in queues]
            for reactor, queues in (run.joins or {}).items()
            if any(queues)
        },
        "kept": [(event.id, event.type, event.offset, event.hops) for event in run.kept or ()],
        "unserved": run.unserved,
        **{part.__name__: part(run) for part in OF_RUNS},
    }


def of_pair(pair: Pair) -> dict[str, Any]:
    return {
        "inputs": pair.inputs,
        "types": pair.types,
        "since": pair.since,
        "due": pair.due,
        "attempts": (pair.attempts, pair.forgiven),
        "parked": pair.parked,
        "hops": pair.hops,
        "of_failure": pair.of_failure,
        "unfinished": [
            (key, {index: fact.offset for index, fact in parts.items()})
            for key, parts in (pair.unfinished or {}).items()
        ],
        **{part.__name__: part(pair) for part in OF_PAIRS},
    }
