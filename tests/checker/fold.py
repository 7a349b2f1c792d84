"""The fold of one partition, written from `docs/protocol.md`: what is admitted, and what is owed then."""

from collections.abc import Callable, Mapping
from typing import Final

from .catalogue import Catalogue
from .contracts import MOST_NAME, Contracts
from .effects import Effects
from .ids import partition_of
from .memory import ClosedRuns, Commands
from .record import Head, Kind, Raw, read_head
from .rules import branches, children, claims, compensation, decisions, governing, policies, runs, schedules, timers
from .settings import Settings
from .state import Run, Schedule
from .verdict import Verdict

_BASE: Final = (1 << 30) - 35
_MODULUS: Final = (1 << 64) - 59
_KNOWN_VERSION: Final = 1
_RULES: Final = (
    runs, governing, timers, branches, decisions, children, schedules, compensation, claims, policies,
)  # fmt: skip
"""Each with its rules for records of open runs (`ON_RUNS`) and for others (`OTHERS`)."""
_ON_RUNS: Final[Mapping[Kind, Callable[..., Verdict]]] = {
    kind: rule for rules in _RULES for kind, rule in getattr(rules, "ON_RUNS", {}).items()
}
_OTHERS: Final[Mapping[Kind, Callable[..., Verdict]]] = {
    kind: rule for rules in _RULES for kind, rule in getattr(rules, "OTHERS", {}).items()
}
_OF_OPEN_RUNS: Final = frozenset((Kind.SIGNAL, Kind.ANSWER, Kind.OWE, Kind.TIMER, Kind.EXPIRY))
"""What an ending run does not take."""


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
        self.schedules: dict[bytes, Schedule] = {}
        self.digest = 0xCBF29CE484222325
        self.log_time = 0
        self.settling = True
        self.genesis: int | None = None
        self.log_id: bytes | str = b""
        self.version = _KNOWN_VERSION
        self.closed = ClosedRuns()
        self.commands = Commands()
        self.policies: dict[bytes, tuple[int, bool]] = {}
        """By reactor, empty for all: the number of the policy in force, and whether it stops."""
        self.unfinished: dict[tuple[bytes, int], dict[int, tuple[Raw, Head]]] = {}
        self.effects = Effects(self)

    def take(self, raw: Raw) -> Verdict:
        """Fold one record.

        Raises:
            UnknownVersion: the rules changed to some that are not known here.
        """
        if raw.time > self.log_time:
            self.log_time = raw.time
            self.lapse()
        head = read_head(raw.headers)
        verdict = Verdict.UNREADABLE if head is None else self._judge(raw, head)
        if verdict is Verdict.ADMITTED:
            for run in self.runs.values() if head is not None and head.kind >= Kind.GENESIS else self._of(raw):
                branches.settle(self, run, raw.offset)
            self._close_what_is_done(raw, head)
        append = bytes(16) if head is None else head.append
        word = int.from_bytes(append, "big") + 256 * raw.offset + verdict
        self.digest = (self.digest * _BASE + word) % _MODULUS
        return verdict

    def lapse(self) -> None:
        """Let go of what log time has outrun by the settings in force."""
        self.closed.forget(self.log_time, self.settings["dedup_window"])
        if self.settling and self.genesis is not None and self.log_time > self.genesis + self.settings["settle"]:
            self.settling = False
            self.effects.settled()

    def _judge(self, raw: Raw, head: Head) -> Verdict:
        kind = head.kind
        if max(len(head.id), len(head.type)) > MOST_NAME:
            return Verdict.UNREADABLE
        if kind in _ON_RUNS:
            run = self.runs.get(raw.key) if raw.key is not None else None
            if run is None:
                if partition_of(raw.key or b"", self.partitions) != self.partition:
                    return Verdict.MISROUTED
                return children.never(self, raw, head) if kind == Kind.CANCEL and head.causation else Verdict.NO_RUN
            if run.state == "ending" and kind in _OF_OPEN_RUNS:
                return Verdict.RUN_ENDING
            verdict = _ON_RUNS[Kind(kind)](self, raw, head, run)
            if verdict is Verdict.ADMITTED and kind != Kind.EXPIRE:
                run.touched = self.log_time
            return verdict
        return _OTHERS[Kind(kind)](self, raw, head)

    def know(self, version: int) -> None:
        """Go by this version of the rules from here on."""
        if version > _KNOWN_VERSION:
            raise UnknownVersion(f"partition {self.partition} goes by version {version} of the rules")

    def _of(self, raw: Raw) -> list[Run]:
        """The run that a record belongs to, if it is there."""
        return [self.runs[raw.key]] if raw.key in self.runs else []

    def _close_what_is_done(self, raw: Raw, head: Head | None) -> None:
        """Close runs that are ending and owe nothing: the record's own, or any after a contract."""
        if head is not None and head.kind not in (Kind.START, *_ON_RUNS):
            runs = list(self.runs.values())
        else:
            runs = [self.runs[raw.key]] if raw.key in self.runs else []
        for run in runs:
            done = run.state == "ending" and not run.owed
            if done and not compensation.unwind(run, raw.offset) and not run.letters:
                run.state, run.closed_at = "closed", raw.offset
                del self.runs[run.key]
                self.finished.append(run)
                window, most = self.settings["dedup_window"], self.settings["dedup_most"]
                self.closed.add(run.key, self.log_time, window, most)
