"""State as the fields of checkpoint records: equal states give equal bytes, whoever writes them.

What carries an order is written in it; sets and what carries none are sorted.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

from farandole.projections.fold.branches import Branch, FanOut, Gathering
from farandole.projections.fold.framing import Frames
from farandole.projections.fold.pending import Child, Decision, Message, Pending, Timer, Undo
from farandole.projections.fold.run import Fact, Item, Join, Pair, Run
from farandole.projections.fold.schedules import Schedule
from farandole.schemas import system_records

from .records import Fields

if TYPE_CHECKING:
    from farandole.projections.fold.fold import Fold


def partition_fields(fold: "Fold") -> Fields:
    """All state of a partition but its runs and the ids of closed ones, copied."""
    return {
        "partition": fold.partition,
        "partitions": fold.partitions,
        "position": fold.position,
        "log_time": fold.log_time,
        "digest": fold.digest.to_bytes(8, "big"),
        "version": fold.version,
        "log_id": fold.log_id or "",
        "made_of": -1 if fold.made_of is None else fold.made_of,
        "born": fold.born,
        "settings": asdict(fold.settings),
        "settling": fold.settling,
        "contracts": [system_records.CONTRACT.encode(c.content) for c in fold.contracts],
        "ever": [{"reactor": r, "ids": sorted(ids)} for r, ids in sorted(fold.contracts.ever.items())],
        "named": sorted(fold.contracts.named),
        "commands": [{"not_after": not_after, "id": id} for not_after, id in fold.commands],
        "frames": [
            {
                "append": append,
                "count": count,
                "parts": [
                    {"index": index, "contract": system_records.CONTRACT.encode(contract.content)}
                    for index, contract in parts.items()
                ],
            }
            for (append, count), parts in fold.frames.items()
        ],
        "closed_key": fold.closed.key,
        "stopped": [
            {"reactor": reactor, "number": number, "stopped": stopped}
            for reactor, (number, stopped) in sorted(fold.stopped.items())
        ],
        "schedules": [_schedule(schedule) for schedule in fold.schedules.values()],
    }


def run_fields(run: Run) -> Fields:
    """One open run."""
    refs = _Refs()
    fields = {
        "id": run.id,
        "start": run.start,
        "offset": run.offset,
        "state": int(run.state),
        "result": int(run.result),
        "end": run.end,
        "result_offset": run.result_offset,
        "touched": run.touched,
        "owed": [_pair(pair, refs) for pair in run.owed.values()],
        "joins": _joins(run.joins, refs),
        "kept": [_fact(fact, refs) for fact in run.kept or ()],
        "unserved": run.unserved,
        "paused": run.paused,
        "pending": [] if run.pending is None else [_pending(run.pending, refs)],
    }
    fields["branches"], fields["fanouts"] = refs.written()
    return fields


class _Refs:
    """Numbers in the place of branches and fan-outs, in the order in which they are first met."""

    def __init__(self) -> None:
        self._branches: dict[Branch, int] = {}
        self._fanouts: dict[FanOut, int] = {}

    def branch(self, branch: Branch | None) -> int:
        return -1 if branch is None else self._branches.setdefault(branch, len(self._branches))

    def fanout(self, fanout: FanOut) -> int:
        return self._fanouts.setdefault(fanout, len(self._fanouts))

    def written(self) -> tuple[list[Fields], list[Fields]]:
        """All that were met, and all that are met on the way."""
        branches: list[Fields] = []
        fanouts: list[Fields] = []
        while len(branches) < len(self._branches) or len(fanouts) < len(self._fanouts):
            branches += [_branch(each, self) for each in list(self._branches)[len(branches) :]]
            fanouts += [_fanout(each, self) for each in list(self._fanouts)[len(fanouts) :]]
        return branches, fanouts


def _fact(fact: Fact, refs: _Refs) -> Fields:
    return {
        "id": fact.id,
        "type": fact.type,
        "offset": fact.offset,
        "flags": fact.flags,
        "hops": fact.hops,
        "branch": refs.branch(fact.branch),
        "item": [{"delay": fact.delay, "not_after": fact.not_after, "extra": fact.extra, "types": fact.types}]
        if isinstance(fact, Item)
        else [],
    }


def _pair(pair: Pair, refs: _Refs) -> Fields:
    work = pair.work
    return {
        "trigger": pair.trigger,
        "reactor": pair.reactor,
        "generation": pair.generation,
        "inputs": pair.inputs,
        "types": pair.types,
        "since": pair.since,
        "attempts": pair.attempts,
        "forgiven": pair.forgiven,
        "due": pair.due,
        "parked": pair.parked,
        "hops": pair.hops,
        "of_failure": pair.of_failure,
        "unfinished": _frames(pair.unfinished, refs) if pair.unfinished else (),
        "at": pair.at,
        "branch": refs.branch(pair.branch),
        "work": ()
        if work is None
        else [
            {
                "holder": work.holder,
                "until": work.until,
                "lost": work.lost,
                "once": [{"name": name, "offset": offset} for name, offset in (work.once or {}).items()],
            }
        ],
    }


def _frames(frames: Frames[Fact], refs: _Refs) -> list[Fields]:
    return [
        {
            "append": append,
            "count": count,
            "parts": [{"index": index, "fact": _fact(fact, refs)} for index, fact in parts.items()],
        }
        for (append, count), parts in frames.items()
    ]


def _joins(joins: Mapping[bytes, Join] | None, refs: _Refs) -> list[Fields]:
    return [
        {"reactor": reactor, "queues": [[_fact(fact, refs) for fact in queue] for queue in queues]}
        for reactor, queues in (joins or {}).items()
    ]


def _latest(latest: Mapping[bytes, Fact] | None, refs: _Refs) -> list[Fields]:
    return [{"type": type, "fact": _fact(fact, refs)} for type, fact in (latest or {}).items()]


def _last(last: Mapping[bytes, tuple[int, int]] | None) -> list[Fields]:
    return [{"type": type, "at": at, "offset": offset} for type, (at, offset) in (last or {}).items()]


def _branch(branch: Branch, refs: _Refs) -> Fields:
    return {
        "fanout": refs.fanout(branch.fanout),
        "index": branch.index,
        "offset": branch.offset,
        "type": branch.type,
        "open": branch.open,
        "forks": branch.forks,
        "joins": _joins(branch.joins, refs),
        "latest": _latest(branch.latest, refs),
        "last": _last(branch.last),
    }


def _fanout(fanout: FanOut, refs: _Refs) -> Fields:
    return {
        "id": fanout.id,
        "types": fanout.types,
        "width": fanout.width,
        "inputs": fanout.inputs,
        "hops": fanout.hops,
        "branch": refs.branch(fanout.branch),
        "branches": [refs.branch(branch) for branch in fanout.branches],
        "live": fanout.live,
        "gatherings": [_gathering(gathering) for gathering in fanout.gatherings or ()],
    }


def _gathering(gathering: Gathering) -> Fields:
    return {
        "reactor": gathering.reactor,
        "events": sorted(gathering.events),
        "failures": [] if gathering.failures is None else [sorted(gathering.failures)],
        "got": [
            {"index": index, "offsets": gift.offsets, "types": gift.types, "hops": gift.hops}
            for index, gift in gathering.got.items()
        ],
        "settled": gathering.settled,
        "need": gathering.need,
        "due": gathering.due,
    }


def _pending(pending: Pending, refs: _Refs) -> Fields:
    timers = pending.timers or {}
    return {
        "timers": [_timer(timer, refs) for timer in timers.values()],
        "decisions": [_decision(decision, timers, refs) for decision in (pending.decisions or {}).values()],
        "children": _children(pending.children, refs),
        "messages": _messages(pending.messages),
        "fanouts": [refs.fanout(fanout) for fanout in (pending.fanouts or {}).values()],
        "lacking": [
            {"reactor": reactor, "branches": [refs.branch(branch) for branch in branches]}
            for reactor, branches in (pending.lacking or {}).items()
        ],
        "held": [
            {
                "fanout": refs.fanout(fanout),
                "around": sorted(waiting.around),
                "branches": [refs.branch(branch) for branch in waiting.branches],
            }
            for fanout, waiting in (pending.held or {}).items()
        ],
        "latest": _latest(pending.latest, refs),
        "last": _last(pending.last),
        "stack": [_undo(undo) for undo in pending.stack or ()],
        "parent": [] if pending.parent is None else [pending.parent._asdict()],
        "deadline": pending.deadline,
        "undo": pending.undo,
        "told": pending.told,
    }


def _timer(timer: Timer, refs: _Refs) -> Fields:
    return {
        "id": timer.id,
        "type": timer.type,
        "offset": timer.offset,
        "due": timer.due,
        "flags": timer.flags,
        "hops": timer.hops,
        "branch": refs.branch(timer.branch),
        "unless": sorted(timer.unless),
        "decision": timer.decision,
    }


def _decision(decision: Decision, timers: Mapping[bytes, Timer], refs: _Refs) -> Fields:
    otherwise = decision.otherwise
    return {
        "id": decision.id,
        "offset": decision.offset,
        "answers": decision.answers,
        "quorum": decision.quorum,
        "hash": decision.hash,
        "hops": decision.hops,
        "branch": refs.branch(decision.branch),
        "votes": [{"by": by, "type": type} for by, type in (decision.votes or {}).items()],
        "otherwise": [] if otherwise is None else [_timer(otherwise, refs)],
        "shared": otherwise is not None and timers.get(otherwise.id) is otherwise,
    }


def _children(children: Mapping[bytes, Child] | None, refs: _Refs) -> list[Fields]:
    return [
        {
            "id": child.id,
            "type": child.type,
            "offset": child.offset,
            "to": child.to,
            "key": child.key,
            "hops": child.hops,
            "branch": refs.branch(child.branch),
            "detach": child.detach,
        }
        for child in (children or {}).values()
    ]


def _messages(messages: Mapping[tuple[bytes, int], Message] | None) -> list[Fields]:
    return [
        {name: getattr(message, name) for name in ("id", "n", "kind", "to", "key", "offset", "since", "flags", "name")}
        for message in (messages or {}).values()
    ]


def _undo(undo: Undo) -> Fields:
    return undo._asdict()


def _schedule(schedule: Schedule) -> Fields:
    waiting: Iterable[tuple[int, bytes, int]] = () if schedule.waiting is None else (schedule.waiting,)
    return {
        "name": schedule.name,
        "last": schedule.last,
        "children": _children(schedule.children, _Refs()),
        "messages": _messages(schedule.messages),
        "waiting": [{"tick": tick, "id": id, "offset": offset} for tick, id, offset in waiting],
    }
