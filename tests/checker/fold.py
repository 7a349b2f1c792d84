"""The fold of one partition, written from `docs/protocol.md`: what is admitted, and what is owed then."""

from collections.abc import Callable
from typing import Final

from .catalogue import Catalogue, Undecodable
from .contracts import MOST_NAME, Contracts, read_contract
from .effects import Effects
from .ids import partition_of
from .memory import ClosedRuns, Commands
from .record import Flag, Head, Kind, Raw, read_head
from .settings import Settings
from .state import Debt, Event, Pair, Run
from .verdict import Verdict

_BASE: Final = (1 << 30) - 35
_MODULUS: Final = (1 << 64) - 59
_UNFINISHED: Final = 4
_MOST_TOGETHER: Final = 1000
_MOST_CONTRACT: Final = 65_536
_KNOWN_VERSION: Final = 1


class UnknownVersion(Exception):
    """The log goes by rules that this checker does not know."""


class Fold:
    """Takes the records of one partition, in order.

    Attributes:
        runs: open and ending runs by key.
        finished: closed runs, in the order of their closing.
        digest: section 9's.
    """

    def __init__(self, partition: int, partitions: int, catalogue: Catalogue) -> None:
        self.partition = partition
        self.partitions = partitions
        self.catalogue = catalogue
        self.settings = Settings()
        self.contracts = Contracts()
        self.runs: dict[bytes, Run] = {}
        self.finished: list[Run] = []
        self.digest = 0xCBF29CE484222325
        self.log_time = 0
        self.settling = True
        self.genesis: int | None = None
        self.log_id: bytes | str = b""
        self.version = _KNOWN_VERSION
        self._closed = ClosedRuns()
        self._commands = Commands()
        self._unfinished: dict[tuple[bytes, int], dict[int, tuple[Raw, Head]]] = {}
        self._effects = Effects(self)

    def take(self, raw: Raw) -> Verdict:
        """Fold one record.

        Raises:
            UnknownVersion: the rules changed to some that are not known here.
        """
        if raw.time > self.log_time:
            self.log_time = raw.time
            self._lapse()
        head = read_head(raw.headers)
        verdict = Verdict.UNREADABLE if head is None else self._judge(raw, head)
        if verdict is Verdict.ADMITTED:
            self._close_what_is_done(raw, head)
        append = bytes(16) if head is None else head.append
        word = int.from_bytes(append, "big") + 256 * raw.offset + verdict
        self.digest = (self.digest * _BASE + word) % _MODULUS
        return verdict

    def _lapse(self) -> None:
        """Let go of what log time has outrun by the settings in force."""
        self._closed.forget(self.log_time, self.settings["dedup_window"])
        if self.settling and self.genesis is not None and self.log_time > self.genesis + self.settings["settle"]:
            self.settling = False
            self._effects.settled()

    def _judge(self, raw: Raw, head: Head) -> Verdict:
        kind = head.kind
        if max(len(head.id), len(head.type)) > MOST_NAME:
            return Verdict.UNREADABLE
        if kind == Kind.START:
            return self._start(raw, head)
        if kind in _ON_RUNS:
            run = self.runs.get(raw.key) if raw.key is not None else None
            if run is None:
                astray = partition_of(raw.key or b"", self.partitions) != self.partition
                return Verdict.MISROUTED if astray else Verdict.NO_RUN
            if run.state == "ending" and kind in (Kind.SIGNAL, Kind.OWE):
                return Verdict.RUN_ENDING
            verdict = _ON_RUNS[Kind(kind)](self, raw, head, run)
            if verdict is Verdict.ADMITTED:
                run.touched = self.log_time
            return verdict
        if kind in _CONTROL:
            return _CONTROL[Kind(kind)](self, raw, head)
        return Verdict.UNKNOWN_KIND

    def _start(self, raw: Raw, head: Head) -> Verdict:
        key = raw.key
        if not key or len(key) > MOST_NAME:
            return Verdict.UNREADABLE
        if key in self.runs:
            return Verdict.RUN_EXISTS
        if partition_of(key, self.partitions) != self.partition:
            return Verdict.MISROUTED
        if key in self._closed:
            return Verdict.RUN_REMEMBERED
        if head.not_after and self.log_time > head.not_after:
            return Verdict.TOO_LATE
        run = self.runs[key] = Run(key, head.id, raw.offset, touched=self.log_time)
        self._effects.admit(run, Event(head.id, head.type, raw.offset, 0, head.flags, None, 0, raw.offset))
        return Verdict.ADMITTED

    def _debt(self, head: Head, run: Run) -> Debt | Verdict:
        debt = run.owed.get((head.causation, head.reactor, head.generation))
        if debt is None:
            return Verdict.NOT_OWED
        return Verdict.LATE if debt.parked is not None else debt

    def _outcome(self, raw: Raw, head: Head, run: Run) -> Verdict:
        debt = self._debt(head, run)
        if isinstance(debt, Verdict):
            return debt
        whole = _frame(debt.appends, raw, head)
        if whole is None:
            return Verdict.HELD
        hops = 0 if run.state == "open" else debt.hops + 1
        run.settle(debt, "outcome", raw.offset)
        for index in sorted(whole) if head.count else ():
            part, its = whole[index]
            event = Event(its.id, its.type, part.offset, hops, its.flags, debt.pair, index, raw.offset)
            self._effects.admit(run, event)
        return Verdict.ADMITTED

    def _failure(self, raw: Raw, head: Head, run: Run) -> Verdict:
        debt = self._debt(head, run)
        if isinstance(debt, Verdict):
            return debt
        if head.attempt != debt.attempts + 1:
            return Verdict.WRONG_ATTEMPT
        debt.attempts += 1
        run.failures += 1
        if head.flags & Flag.LAST:
            hops = 0 if run.state == "open" else debt.hops + 1
            self._effects.fail_for_good(run, debt, head.id, raw, hops)
        return Verdict.ADMITTED

    def _command(self, head: Head) -> Verdict | None:
        """What refuses any command, or None."""
        if head.not_after == 0:
            return Verdict.UNREADABLE
        if self.log_time > head.not_after:
            return Verdict.TOO_LATE
        if head.not_after > self.log_time + self.settings["ahead"]:
            return Verdict.TOO_FAR
        return Verdict.REPEATED if self._commands.holds(head.id, self.log_time) else None

    def _admit_command(self, head: Head) -> Verdict:
        self._commands.add(head.id, head.not_after)
        return Verdict.ADMITTED

    def _signal(self, raw: Raw, head: Head, run: Run) -> Verdict:
        if refused := self._command(head):
            return refused
        self._effects.admit(run, Event(head.id, head.type, raw.offset, 0, head.flags, None, 0, raw.offset))
        return self._admit_command(head)

    def _cancel(self, raw: Raw, head: Head, run: Run) -> Verdict:
        if refused := self._command(head):
            return refused
        if run.state == "ending" and not run.parked:
            return Verdict.RUN_ENDING
        if run.state == "open":
            run.state, run.result = "ending", "cancelled"
        run.drop(raw.offset)
        return self._admit_command(head)

    def _pause(self, raw: Raw, head: Head, run: Run) -> Verdict:
        if refused := self._command(head):
            return refused
        wanted = head.kind == Kind.PAUSE
        if run.paused is wanted:
            return Verdict.NO_CHANGE
        run.paused = wanted
        return self._admit_command(head)

    def _retry(self, raw: Raw, head: Head, run: Run) -> Verdict:
        if refused := self._command(head):
            return refused
        named = [d for d in run.owed.values() if d.parked is not None and d.parked == head.causation]
        if not named:
            return Verdict.NOT_PARKED
        done = [self._effects.retry(run, debt, raw.offset) for debt in named]
        return self._admit_command(head) if any(done) else Verdict.NO_CONTRACT

    def _owe(self, raw: Raw, head: Head, run: Run) -> Verdict:
        if refused := self._command(head):
            return refused
        contract = self.contracts.by_reactor.get(head.reactor)
        if contract is None or not contract.active or contract.on_failures or len(contract.takes) != 1:
            return Verdict.NO_CONTRACT
        if len(head.extra) <= 8 or not head.causation:
            return Verdict.UNREADABLE
        inputs = ((int.from_bytes(head.extra[:8], "big"), head.extra[8:]),)
        pair: Pair = (head.causation, head.reactor, head.id)
        if pair in run.owed:
            return Verdict.REPEATED
        run.owe(Debt(pair, inputs, 0, raw.offset))
        return self._admit_command(head)

    def _expire(self, raw: Raw, head: Head, run: Run) -> Verdict:
        after = self.settings["expire_after"]
        if not after or self.log_time - run.touched < after or not self._stands_still(run):
            return Verdict.NOT_DUE
        if run.state == "open":
            run.state, run.result = "ending", "expired"
        run.drop(raw.offset)
        return Verdict.ADMITTED

    def _stands_still(self, run: Run) -> bool:
        """Whether it is failed, with nothing else to do, or idle."""
        if run.owed:
            return len(run.owed) == run.parked
        waits = any(c.active and c.signals for c in self.contracts.by_reactor.values())
        return run.state == "open" and not any(any(queues) for queues in run.queues.values()) and not waits

    def _genesis(self, raw: Raw, head: Head) -> Verdict:
        if self.genesis is not None:
            return Verdict.SUPERSEDED
        try:
            content = self.catalogue.decode_system(raw.value, "farandole.Genesis")
        except Undecodable:
            return Verdict.UNREADABLE
        self._know(content["fold_version"])
        settings = content["settings"]
        if (
            not 0 < len(content["log_id"].encode()) <= 64
            or content["fold_version"] < 1
            or min(settings.values(), default=0) < 0
        ):
            return Verdict.UNREADABLE
        self.genesis, self.log_id = self.log_time, content["log_id"]
        self.settings = Settings()
        self.settings.values.update({k: v for k, v in settings.items() if k in self.settings.values})
        self._lapse()
        return Verdict.ADMITTED

    def _setting(self, raw: Raw, head: Head) -> Verdict:
        try:
            content = self.catalogue.decode_system(raw.value, "farandole.Setting")
        except Undecodable:
            return Verdict.UNREADABLE
        if content["value"] < 0:
            return Verdict.UNREADABLE
        if self.settings.values.get(content["name"]) != content["replaces"]:
            return Verdict.SUPERSEDED
        self.settings.values[content["name"]] = content["value"]
        self._lapse()
        return Verdict.ADMITTED

    def _version(self, raw: Raw, head: Head) -> Verdict:
        try:
            content = self.catalogue.decode_system(raw.value, "farandole.Version")
        except Undecodable:
            return Verdict.UNREADABLE
        if content["version"] <= self.version:
            return Verdict.SUPERSEDED
        self._know(content["version"])
        return Verdict.ADMITTED

    def _know(self, version: int) -> None:
        if version > _KNOWN_VERSION:
            raise UnknownVersion(f"partition {self.partition} goes by version {version} of the rules")

    def _contract(self, raw: Raw, head: Head) -> Verdict:
        try:
            read_contract(raw, self.catalogue)
        except Undecodable:
            return Verdict.UNREADABLE
        if head.count > _MOST_TOGETHER or len(raw.value or b"") > _MOST_CONTRACT:
            return Verdict.UNREADABLE
        whole = _frame(self._unfinished, raw, head)
        if whole is None:
            return Verdict.HELD
        new = [read_contract(whole[index][0], self.catalogue) for index in sorted(whole)]
        places = [place for contract in new for place in (contract.reactor, contract.renames) if place]
        if len(set(places)) < len(places):
            return Verdict.UNREADABLE
        if not self.contracts.admits(new):
            return Verdict.SUPERSEDED
        self._effects.enforce(new, raw.offset)
        return Verdict.ADMITTED

    def _released(self, raw: Raw, head: Head) -> Verdict:
        return Verdict.ADMITTED

    def _close_what_is_done(self, raw: Raw, head: Head | None) -> None:
        """Close runs that are ending and owe nothing: the record's own, or any after a contract."""
        if head is not None and head.kind in _CONTROL:
            runs = list(self.runs.values())
        else:
            runs = [self.runs[raw.key]] if raw.key is not None else []
        for run in runs:
            if run.state == "ending" and not run.owed:
                run.state, run.closed_at = "closed", raw.offset
                del self.runs[run.key]
                self.finished.append(run)
                window, most = self.settings["dedup_window"], self.settings["dedup_most"]
                self._closed.add(run.key, self.log_time, window, most)


def _frame(
    appends: dict[tuple[bytes, int], dict[int, tuple[Raw, Head]]], raw: Raw, head: Head
) -> dict[int, tuple[Raw, Head]] | None:
    """Put a record to those of its append; all of them once they are as many as the record says."""
    if head.count <= 1:
        return {0: (raw, head)}
    named = (head.append, head.count)
    held = appends.get(named)
    if held is None:
        held = appends[named] = {}
        if len(appends) > _UNFINISHED:
            del appends[next(iter(appends))]
    held.setdefault(head.index, (raw, head))
    return appends.pop(named) if len(held) == head.count else None


_ON_RUNS: Final[dict[Kind, Callable[[Fold, Raw, Head, Run], Verdict]]] = {
    Kind.OUTCOME: Fold._outcome,
    Kind.FAILURE: Fold._failure,
    Kind.SIGNAL: Fold._signal,
    Kind.CANCEL: Fold._cancel,
    Kind.PAUSE: Fold._pause,
    Kind.RESUME: Fold._pause,
    Kind.RETRY: Fold._retry,
    Kind.OWE: Fold._owe,
    Kind.EXPIRE: Fold._expire,
}
_CONTROL: Final[dict[Kind, Callable[[Fold, Raw, Head], Verdict]]] = {
    Kind.GENESIS: Fold._genesis,
    Kind.SETTING: Fold._setting,
    Kind.VERSION: Fold._version,
    Kind.CONTRACT: Fold._contract,
    Kind.RELEASED: Fold._released,
}
