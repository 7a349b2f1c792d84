"""The fold: the pure function from a log prefix to the state of its runs.

Every reader folds the same records with these rules, so every reader agrees, with no lock, no leader and no
transaction, on what happened. What has no admitted outcome is owed; the first complete outcome is admitted; all later
ones are refused. State is only what is open.
"""

from typing import Final

from farandole.eventstore import Stored
from farandole.schemas import FarandoleError, UnreadableHeaders
from farandole.schemas.envelope import Envelope, Kind, unpack

from .admission import judge, version_ahead
from .applied import Applied
from .closed import ClosedIds
from .commands import CommandIds
from .contracts import Contract, Contracts
from .digest import EMPTY, roll
from .framing import Frames
from .owing import sweep
from .run import Run, RunState
from .saving import Saver
from .schedules import Schedule
from .settings import Settings
from .verdict import Verdict

KNOWN_VERSION: Final = 1
"""The newest fold version whose rules this module has."""

_NO_APPEND: Final = bytes(16)
_VERSIONED: Final = frozenset((int(Kind.GENESIS), int(Kind.VERSION)))
_MOST_NAMES: Final = 10_000
_GOES_ON: Final = (0, False)


class UnknownFoldVersion(FarandoleError):
    """The log follows rules that this release does not know; upgrade it. What was folded before stays true."""


class Fold:
    """The state of one partition after a prefix of its log.

    Args:
        partition: the partition's number.
        partitions: how many the log has.
    """

    def __init__(self, partition: int, partitions: int) -> None:
        self.partition = partition
        self.partitions = partitions
        self.position = 0
        """The offset that comes next."""
        self.log_time = 0
        """The highest append time so far, in milliseconds since 1970 UTC."""
        self.digest = EMPTY
        """Over all records so far and what was made of them; equal for every reader at one position."""
        self.version = 1
        """The fold version in force."""
        self.log_id: str | None = None
        """The log's random name, from its genesis."""
        self.made_of: int | None = None
        """How many partitions the log was made with, from its genesis."""
        self.born = 0
        """Log time of the genesis."""
        self.settings = Settings()
        self.runs: dict[bytes, Run] = {}
        """Open and ending runs."""
        self.closed = ClosedIds()
        self.commands = CommandIds()
        self.contracts = Contracts()
        self.frames: Frames[Contract] = {}
        """Appends of contracts that are not whole yet, oldest first."""
        self.keeping: dict[bytes, Run] = {}
        """Runs that keep events for reactors yet to come."""
        self.settling = True
        """Whether first contracts are still owed all that came before them."""
        self.schedules: dict[bytes, Schedule] = {}
        """Schedules that have ticked here, by name."""
        self.stopped: dict[bytes, tuple[int, bool]] = {}
        """By reactor, the number of the policy in force and whether it stops it; by the empty name, of all reactors."""
        self.saver: Saver | None = None
        """Whoever writes a checkpoint of it just now."""
        self._names: dict[bytes, bytes] = {}

    def apply(self, record: Stored) -> Applied:
        """Take the next record and return what it did.

        Raises:
            UnknownFoldVersion: from this record on the log follows rules that are not known here; the state is that of
                the prefix before it, and the partition must not be served.
        """
        e: Envelope | None
        try:
            e = unpack(record.headers)
        except UnreadableHeaders:
            e = None
        if e is not None and e.kind in _VERSIONED:
            self._stop_before_the_unknown(record, e)
        if record.time > self.log_time:
            self.log_time = record.time
            self.lapse()
        out = Applied(record.offset)
        if e is None:
            out.verdict = Verdict.UNREADABLE
            self.digest = roll(self.digest, record.offset, _NO_APPEND, Verdict.UNREADABLE)
        else:
            out.envelope = e
            out.verdict = verdict = judge(self, record, e, out)
            self.digest = roll(self.digest, record.offset, e.append, verdict)
        self.position = record.offset + 1
        return out

    def lapse(self) -> None:
        """Let go of what log time, by the settings in force, has outrun."""
        if self.commands:
            self.commands.forget(self.log_time)
        if self.closed:
            self.closed.forget(self.log_time, self.settings.dedup_window)
        if self.settling and self.log_id is not None and self.log_time > self.born + self.settings.settle:
            self.settling = False
            sweep(self)

    def intern(self, name: bytes) -> bytes:
        """One object for all equal names of types, so that a million pairs share them."""
        if len(self._names) > _MOST_NAMES:
            self._names.clear()
        return self._names.setdefault(name, name)

    def idle_or_failed(self, run: Run) -> bool:
        """Whether nothing but a person can move the run: it owes only parked steps, or nothing and awaits nothing."""
        if run.pending is not None and (run.pending.waits() or run.pending.messages):
            return False
        if run.parked:
            return len(run.owed) == run.parked
        return not run.owed and run.state is RunState.OPEN and not run.half_full and not self.contracts.signals

    def stops(self, reactor: bytes) -> bool:
        """Whether a policy in force wants nothing of a reactor to be begun."""
        stopped = self.stopped
        return bool(stopped) and (stopped.get(b"", _GOES_ON)[1] or stopped.get(reactor, _GOES_ON)[1])

    def _stop_before_the_unknown(self, record: Stored, e: Envelope) -> None:
        version = version_ahead(self, record, e)
        if version > KNOWN_VERSION:
            raise UnknownFoldVersion(
                f"partition {self.partition} follows fold version {version} from offset {record.offset} on; "
                f"this release knows versions up to {KNOWN_VERSION}: upgrade farandole"
            )
