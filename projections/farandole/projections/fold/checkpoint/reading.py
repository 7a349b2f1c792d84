"""The fold that a checkpoint is the state of."""

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from typing import Any, Final

from farandole.projections.fold.branches import Branch, FanOut, Gathering, Gift, Waiting
from farandole.projections.fold.closed import Bucket, ClosedIds
from farandole.projections.fold.commands import CommandIds
from farandole.projections.fold.contracts import Contract
from farandole.projections.fold.fold import Fold
from farandole.projections.fold.framing import Frames
from farandole.projections.fold.pending import (
    Child,
    Decision,
    Message,
    MessageKey,
    Parent,
    Pending,
    Timer,
    Undo,
    Working,
)
from farandole.projections.fold.run import Fact, Item, Join, Pair, Result, Run, RunState
from farandole.projections.fold.schedules import Schedule
from farandole.projections.fold.settings import Settings
from farandole.schemas import system_records

from .records import Fields, read_partition, read_run

_HEAD: Final = 4
_AT_ONCE: Final = 64


class BrokenCheckpoint(Exception):
    """Its bytes are not what its manifest says, or not what this release writes."""


def fold_from(data: bytes, pieces: Mapping[bytes, bytes]) -> Generator[None, None, Fold]:
    """The fold of the bytes of all chunks, some runs at a time.

    Args:
        pieces: by hash, the ids of closed runs.

    Raises:
        BrokenCheckpoint: it cannot be read.
    """
    try:
        parts = iter(_parts(data))
        fold = _partition(read_partition(next(parts)), pieces)
        state = _Reading(fold.intern)
        for number, part in enumerate(parts):
            if number % _AT_ONCE == 0:
                yield
            run = state.run(read_run(part))
            fold.runs[run.id] = run
            if run.kept is not None:
                fold.keeping[run.id] = run
    except Exception as e:
        raise BrokenCheckpoint(f"it cannot be read: {e!r}") from e
    return fold


def _parts(data: bytes) -> Iterable[bytes]:
    at, end = 0, len(data)
    while at < end:
        size = int.from_bytes(data[at : at + _HEAD], "big")
        at += _HEAD + size
        if at > end:
            raise ValueError("a part is cut short")
        yield data[at - size : at]


def _partition(fields: Fields, pieces: Mapping[bytes, bytes]) -> Fold:
    fold = Fold(fields["partition"], fields["partitions"])
    fold.position = fields["position"]
    fold.log_time = fields["log_time"]
    fold.digest = int.from_bytes(fields["digest"], "big")
    fold.version = fields["version"]
    fold.log_id = fields["log_id"] or None
    fold.made_of = None if fields["made_of"] < 0 else fields["made_of"]
    fold.born = fields["born"]
    fold.settings = Settings.of(fields["settings"])
    fold.settling = fields["settling"]
    fold.contracts.restore(
        map(_contract, fields["contracts"]),
        {ever["reactor"]: set(ever["ids"]) for ever in fields["ever"]},
        fields["named"],
    )
    fold.commands = CommandIds((command["not_after"], command["id"]) for command in fields["commands"])
    fold.frames = {
        (frame["append"], frame["count"]): {part["index"]: _contract(part["contract"]) for part in frame["parts"]}
        for frame in fields["frames"]
    }
    fold.closed = ClosedIds(fields["closed_key"])
    for each in fields["closed"]:
        hashes = b"".join(pieces[piece] for piece in each["pieces"])
        bucket = Bucket.of(each["opened"], each["newest"], hashes)
        if len(bucket) != each["count"]:
            raise ValueError("a bucket lacks ids of closed runs")
        fold.closed.restore(bucket)
    fold.stopped = {each["reactor"]: (each["number"], each["stopped"]) for each in fields["stopped"]}
    state = _Reading(fold.intern)
    fold.schedules = {each["name"]: state.schedule(each) for each in fields["schedules"]}
    return fold


def _contract(value: bytes) -> Contract:
    return Contract.read(system_records.CONTRACT.decode(value))


class _Reading:
    """Runs of one fold: equal names of types are one object, and equal sets of them too."""

    def __init__(self, intern: Callable[[bytes], bytes]) -> None:
        self._intern = intern
        self._sets: dict[frozenset[bytes], frozenset[bytes]] = {}
        self._branches: Sequence[Branch] = ()
        self._fanouts: Sequence[FanOut] = ()

    def run(self, fields: Fields) -> Run:
        run = Run(fields["id"], fields["start"], fields["offset"], fields["touched"])
        self._fanouts, self._branches = (), ()
        if fields["fanouts"]:
            self._fanouts = [self._new_fanout(run, each) for each in fields["fanouts"]]
            self._branches = [self._new_branch(each) for each in fields["branches"]]
            for fanout, each in zip(self._fanouts, fields["fanouts"], strict=True):
                self._fill_fanout(fanout, each)
            for branch, each in zip(self._branches, fields["branches"], strict=True):
                branch.joins = self._joins(each["joins"])
                branch.latest = self._latest(each["latest"])
                branch.last = self._last(each["last"])
        run.state = RunState(fields["state"])
        run.result = Result(fields["result"])
        run.end = fields["end"]
        run.result_offset = fields["result_offset"]
        for each in fields["owed"]:
            pair = self._pair(each)
            run.owed[pair.key] = pair
            if pair.parked:
                run.parked += 1
        run.joins = self._joins(fields["joins"])
        run.kept = [self._fact(each) for each in fields["kept"]] or None
        run.unserved = fields["unserved"]
        run.paused = fields["paused"]
        for each in fields["pending"]:
            run.pending = self._pending(each)
        return run

    def schedule(self, fields: Fields) -> Schedule:
        schedule = Schedule(fields["name"])
        schedule.last = fields["last"]
        schedule.children = self._children(fields["children"])
        schedule.messages = self._messages(fields["messages"])
        for each in fields["waiting"]:
            schedule.waiting = (each["tick"], each["id"], each["offset"])
        return schedule

    def _names(self, names: Iterable[bytes]) -> tuple[bytes, ...]:
        return tuple(map(self._intern, names))

    def _set(self, names: Iterable[bytes]) -> frozenset[bytes]:
        found = frozenset(self._names(names))
        return self._sets.setdefault(found, found)

    def _branch(self, number: int) -> Branch | None:
        return None if number < 0 else self._branches[number]

    def _fact(self, fields: Fields) -> Fact:
        id, type, offset, flags = fields["id"], self._intern(fields["type"]), fields["offset"], fields["flags"]
        fact: Fact
        if fields["item"]:
            (item,) = fields["item"]
            fact = Item(id, type, offset, flags, item["delay"], item["not_after"], item["extra"], item["types"])
        else:
            fact = Fact(id, type, offset, flags)
        fact.hops = fields["hops"]
        fact.branch = self._branch(fields["branch"])
        return fact

    def _pair(self, fields: Fields) -> Pair:
        pair = Pair(
            fields["trigger"],
            self._intern(fields["reactor"]),
            fields["generation"],
            tuple(fields["inputs"]),
            self._names(fields["types"]),
            fields["since"],
            fields["hops"],
            fields["of_failure"],
            fields["at"],
            self._branch(fields["branch"]),
        )
        pair.attempts = fields["attempts"]
        pair.forgiven = fields["forgiven"]
        pair.due = fields["due"]
        pair.parked = fields["parked"]
        if fields["unfinished"]:
            pair.unfinished = self._frames(fields["unfinished"])
        for each in fields["work"]:
            pair.work = work = Working()
            work.holder, work.until, work.lost = each["holder"], each["until"], each["lost"]
            work.once = {once["name"]: once["offset"] for once in each["once"]} or None
        return pair

    def _frames(self, frames: Sequence[Fields]) -> Frames[Fact]:
        return {
            (frame["append"], frame["count"]): {part["index"]: self._fact(part["fact"]) for part in frame["parts"]}
            for frame in frames
        }

    def _joins(self, joins: Sequence[Fields]) -> dict[bytes, Join] | None:
        return {
            self._intern(join["reactor"]): [[self._fact(fact) for fact in queue] for queue in join["queues"]]
            for join in joins
        } or None

    def _latest(self, latest: Sequence[Fields]) -> dict[bytes, Fact] | None:
        return {self._intern(each["type"]): self._fact(each["fact"]) for each in latest} or None

    def _last(self, last: Sequence[Fields]) -> dict[bytes, tuple[int, int]] | None:
        return {self._intern(each["type"]): (each["at"], each["offset"]) for each in last} or None

    def _new_fanout(self, run: Run, fields: Fields) -> FanOut:
        types, inputs = self._names(fields["types"]), tuple(fields["inputs"])
        fanout = FanOut(run, fields["id"], types, fields["width"], inputs, fields["hops"], None)
        fanout.live = fields["live"]
        return fanout

    def _fill_fanout(self, fanout: FanOut, fields: Fields) -> None:
        fanout.branch = self._branch(fields["branch"])
        fanout.branches = [self._branches[number] for number in fields["branches"]]
        fanout.gatherings = [self._gathering(fanout, each) for each in fields["gatherings"]] or None

    def _new_branch(self, fields: Fields) -> Branch:
        branch = Branch(
            self._fanouts[fields["fanout"]], fields["index"], fields["offset"], self._intern(fields["type"])
        )
        branch.open = fields["open"]
        branch.forks = fields["forks"]
        return branch

    def _gathering(self, fanout: FanOut, fields: Fields) -> Gathering:
        failures = [self._set(each) for each in fields["failures"]]
        gathering = Gathering(
            self._intern(fields["reactor"]),
            fanout,
            self._set(fields["events"]),
            failures[0] if failures else None,
            fields["need"],
            fields["due"],
        )
        gathering.got = {
            gift["index"]: Gift(tuple(gift["offsets"]), self._names(gift["types"]), gift["hops"])
            for gift in fields["got"]
        }
        gathering.settled = fields["settled"]
        return gathering

    def _pending(self, fields: Fields) -> Pending:
        pending = Pending()
        timers = {each["id"]: self._timer(each) for each in fields["timers"]}
        pending.timers = timers or None
        pending.decisions = {each["id"]: self._decision(each, timers) for each in fields["decisions"]} or None
        pending.children = self._children(fields["children"])
        pending.messages = self._messages(fields["messages"])
        pending.fanouts = {(f := self._fanouts[number]).id: f for number in fields["fanouts"]} or None
        pending.lacking = {
            self._intern(each["reactor"]): {self._branches[number]: None for number in each["branches"]}
            for each in fields["lacking"]
        } or None
        pending.held = {self._fanouts[each["fanout"]]: self._waiting(each) for each in fields["held"]} or None
        pending.latest = self._latest(fields["latest"])
        pending.last = self._last(fields["last"])
        pending.stack = [
            Undo(u["outcome"], self._intern(u["reactor"]), tuple(u["inputs"]), self._names(u["types"]), u["hops"])
            for u in fields["stack"]
        ] or None
        for each in fields["parent"]:
            pending.parent = Parent(**each)
        pending.deadline = fields["deadline"]
        pending.undo = fields["undo"]
        pending.told = fields["told"]
        return pending

    def _waiting(self, fields: Fields) -> Waiting:
        waiting = Waiting(self._set(fields["around"]))
        waiting.branches = {self._branches[number]: None for number in fields["branches"]}
        return waiting

    def _timer(self, fields: Fields) -> Timer:
        return Timer(
            fields["id"],
            self._intern(fields["type"]),
            fields["offset"],
            fields["due"],
            fields["flags"],
            fields["hops"],
            self._branch(fields["branch"]),
            self._set(fields["unless"]),
            fields["decision"],
        )

    def _decision(self, fields: Fields, timers: Mapping[bytes, Timer]) -> Decision:
        decision = Decision(
            fields["id"],
            fields["offset"],
            self._names(fields["answers"]),
            fields["quorum"],
            fields["hash"],
            fields["hops"],
            self._branch(fields["branch"]),
        )
        decision.votes = {vote["by"]: self._intern(vote["type"]) for vote in fields["votes"]} or None
        for each in fields["otherwise"]:
            decision.otherwise = timers[each["id"]] if fields["shared"] else self._timer(each)
        return decision

    def _children(self, children: Sequence[Fields]) -> dict[bytes, Child] | None:
        return {
            each["id"]: Child(
                each["id"],
                self._intern(each["type"]),
                each["offset"],
                each["to"],
                each["key"],
                each["hops"],
                self._branch(each["branch"]),
                each["detach"],
            )
            for each in children
        } or None

    def _messages(self, messages: Sequence[Any]) -> dict[MessageKey, Message] | None:
        return {(each["id"], each["n"]): Message(**each) for each in messages} or None
