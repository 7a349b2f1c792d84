"""All that ever was, and the questions that it answers."""

from dataclasses import dataclass, field
from functools import cache
from hashlib import blake2b
from typing import Any

from tests.projections.fold.model.contracts import identity, names
from tests.projections.fold.model.records import Head, frames

DEFAULTS = {
    "dedup_window": 86_400_000, "dedup_most": 1_000_000, "settle": 600_000, "drain": 100, "expire_after": 0,
    "kept": 64, "join_most": 10_000, "ahead": 604_800_000,
    "depth": 16, "lost_most": 10, "lease_most": 600_000, "once_most": 1_000, "schedules_most": 10_000,
}  # fmt: skip


@dataclass
class Event:
    id: bytes
    type: bytes
    offset: int
    hops: int
    flags: int
    branch: Any = None
    head: Head | None = None
    """Of what is no plain event."""


@dataclass
class Timer:
    id: bytes
    type: bytes
    due: int
    flags: int
    unless: set[bytes]
    branch: Any = None
    decision: bytes = b""


@dataclass
class Decision:
    id: bytes
    quorum: int
    hash: bytes
    answers: list[bytes]
    branch: Any = None
    votes: list[tuple[bytes, bytes]] = field(default_factory=list)
    """Who gave which answer; who did not say goes by a zero byte and the answer's id."""
    otherwise: bytes = b""
    """Id of the timer of what it becomes if nobody answers."""


@dataclass
class Child:
    id: bytes
    type: bytes
    offset: int
    to: bytes
    key: bytes
    branch: Any = None


@dataclass
class Letter:
    id: bytes
    n: int
    kind: str
    to: bytes
    key: bytes
    offset: int
    since: int
    flags: int = 0
    name: bytes = b""


@dataclass
class Run:
    id: bytes
    start: bytes
    offset: int
    touched: int
    state: str = "OPEN"
    result: str = "NONE"
    end: bytes = b""
    result_offset: int = -1
    paused: bool = False
    kept: list[Event] = field(default_factory=list)
    unserved: int = 0
    queues: dict[str, list[list[Event]]] = field(default_factory=dict)
    undoing: bool = False
    stack: list[tuple[bytes, str, list[int], list[bytes], int]] = field(default_factory=list)
    """Outcomes that an end may undo: id, reactor, places and types of what was taken and emitted, hops."""
    timers: list[Timer] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    deadline: int = 0
    passed: list[tuple[bytes, int, int, Any]] = field(default_factory=list)
    """Events that drop timers: type, offset of the record with which it was admitted, its own, branch."""
    inner: dict[Any, dict[str, list[list[Event]]]] = field(default_factory=dict)
    """Queues in branches."""
    fanouts: list[Any] = field(default_factory=list)
    gatherings: list[Any] = field(default_factory=list)
    noted: list[Event] = field(default_factory=list)
    """Events that joins in branches look at."""
    parent: tuple[Any, ...] | None = None
    children: list[Child] = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)
    told: int = 0


@dataclass
class Schedule:
    name: bytes
    ticks: list[int] = field(default_factory=list)
    """All that were admitted."""
    children: list[Child] = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)
    waiting: tuple[int, bytes, int] | None = None


@dataclass
class Debt:
    run: Run
    trigger: bytes
    reactor: str
    generation: bytes
    events: list[tuple[int, bytes]]
    types: list[bytes]
    since: int
    hops: int
    of_failure: bool = False
    attempts: int = 0
    forgiven: int = 0
    due: int = 0
    parked: bytes = b""
    overflowed: bool = False
    holder: bytes = b""
    claimed_until: int = 0
    lost: int = 0
    substeps: list[tuple[bytes, int]] = field(default_factory=list)
    at: int = -1
    """Offset of the record with which it became owed."""
    became: str = "owed"
    """owed, discharged, handled, dropped, edited or joined anew"""
    received: list[tuple[Head, Event]] = field(default_factory=list)
    """Records of its outcomes that were held."""
    branch: Any = None

    @property
    def key(self) -> tuple[bytes, bytes, bytes]:
        return (self.trigger, self.reactor.encode(), self.generation)


@cache
def methods(model: type, prefix: str) -> list[str]:
    """The names of a model's methods that begin so: what the features have to say to something."""
    return [name for name in dir(model) if name.startswith(prefix)]


class Memory:
    """What the model remembers of its partition."""

    def __init__(self, partition: int, partitions: int) -> None:
        self.partition, self.partitions = partition, partitions
        self.position = 0
        self.here = -1
        """Offset of the record that is judged."""
        self.digest = 0xCBF29CE484222325
        self.log_time = 0
        self.version = 1
        self.genesis: dict[str, Any] | None = None
        self.born = 0
        self.settling = True
        self.settings = dict(DEFAULTS)
        self.runs: list[Run] = []
        """All that ever were."""
        self.debts: list[Debt] = []
        """All that ever were."""
        self.admitted: list[tuple[Run, Event]] = []
        """All events that ever were admitted, failures left out."""
        self.results: list[tuple[Run, str]] = []
        self.commands: list[tuple[int, bytes]] = []
        self.closed: list[list[tuple[int, bytes]]] = []
        """Buckets of (log time, run id)."""
        self.key = b""
        self.enforced: list[dict[str, Any]] = []
        """All contracts that ever came into force, in their order."""
        self.policies: dict[str, tuple[int, bool]] = {}
        """By reactor, empty for all: the number in force, and whether it stops."""
        self.schedules: list[Schedule] = []
        self.contract_parts: list[tuple[Head, dict[str, Any]]] = []

    # ── what is so ───────────────────────────────────────────────────────────────────────────────────────────────────

    def run(self, key: bytes | None) -> Run | None:
        found = [run for run in self.runs if run.id == key and run.state != "CLOSED"]
        return found[0] if found else None

    def owed(self, run: Run) -> list[Debt]:
        return [debt for debt in self.debts if debt.run is run and debt.became == "owed"]

    def in_force(self, reactor: str) -> dict[str, Any] | None:
        for contract in reversed(self.enforced):
            if contract["renames"] == reactor:
                return None
            if contract["reactor"] == reactor:
                return contract
        return None

    def active(self, *forms: str) -> list[dict[str, Any]]:
        found = [self.in_force(reactor) for reactor in sorted({c["reactor"] for c in self.enforced})]
        return [c for c in found if c and c["state"] == "active" and (not forms or c["forms"][0] in forms)]

    def named(self) -> set[str]:
        return {type for c in self.enforced if c["state"] == "active" for type in names(c)}

    def lapse(self) -> None:
        window = self.settings["dedup_window"]
        self.closed = [bucket for bucket in self.closed if self.log_time - bucket[-1][0] <= window]
        if self.settling and self.genesis is not None and self.log_time > self.born + self.settings["settle"]:
            self.settling = False
            for run in self.runs:
                stay = [e for e in run.kept if e.type.decode() not in self.named() and not e.flags & 16]
                most = self.settings["kept"]
                run.kept, run.unserved = stay[:most], run.unserved + len(stay[most:])
                run.inner = {branch: queues for branch, queues in run.inner.items() if not branch.ended}

    # ── all of it ────────────────────────────────────────────────────────────────────────────────────────────────────

    def snapshot(self) -> dict[str, Any]:
        """What the fold's snapshot should be."""
        reactors = {c["reactor"] for c in self.enforced}
        in_force = {r: c for r in reactors if (c := self.in_force(r))}
        return {
            "position": self.position,
            "log_time": self.log_time,
            "digest": self.digest,
            "version": self.version,
            "genesis": (self.genesis["log_id"], self.genesis["partitions"], self.born)
            if self.genesis
            else (None, None, 0),
            "settling": self.settling,
            "settings": self.settings,
            "runs": {run.id: self.of_run(run) for run in self.runs if run.state != "CLOSED"},
            "closed": [
                (b[0][0], b[-1][0], sorted(blake2b(i, digest_size=16, key=self.key).digest() for i in ids(b)))
                for b in self.closed
            ],
            "commands": sorted((t, id) for t, id in self.commands if t >= self.log_time),
            "contracts": {r.encode(): identity(c) for r, c in in_force.items()},
            "ever": {r.encode(): {identity(c) for c in self.enforced if c["reactor"] == r} for r in reactors},
            "stopped": {reactor.encode(): policy for reactor, policy in self.policies.items()},
            "named": {type.encode() for type in self.named()},
            "schedules": {
                s.name: (
                    s.ticks[-1],
                    {child.id: (child.offset, child.key) for child in s.children},
                    [(m.id, m.n, m.kind, m.key, m.offset, m.since) for m in s.letters],
                    s.waiting,
                )
                for s in self.schedules
            },
            "frames": [
                (key, {index: identity(c) for index, c in parts.items()})
                for key, parts in frames(self.contract_parts).items()
            ],
        }

    def of_run(self, run: Run) -> dict[str, Any]:
        return {
            "start": (run.start, run.offset),
            "state": run.state,
            "result": (run.result, run.end, run.result_offset),
            "touched": run.touched,
            "paused": run.paused,
            "owed": {debt.key: self.of_debt(debt) for debt in self.owed(run)},
            "joins": {
                reactor.encode(): [[event.offset for event in queue] for queue in queues]
                for reactor, queues in run.queues.items()
                if any(queues)
            },
            "kept": [(event.id, event.type, event.offset, event.hops) for event in run.kept],
            "unserved": run.unserved,
            **self._parts("snap_", run),
        }

    def _parts(self, prefix: str, of: Any) -> dict[str, Any]:
        """What the features tell of something, by the names of their methods."""
        return {name: getattr(self, name)(of) for name in methods(type(self), prefix)}

    def of_debt(self, debt: Debt) -> dict[str, Any]:
        return {
            "inputs": tuple(offset for offset, _ in debt.events),
            "types": tuple(debt.types),
            "since": debt.since,
            "due": debt.due,
            "attempts": (debt.attempts, debt.forgiven),
            "parked": debt.parked,
            "hops": debt.hops,
            "of_failure": debt.of_failure,
            "unfinished": [
                (key, {index: event.offset for index, event in parts.items()})
                for key, parts in frames(debt.received).items()
            ],
            **self._parts("debt_", debt),
        }


def ids(bucket: list[tuple[int, bytes]]) -> set[bytes]:
    return {id for _, id in bucket}
