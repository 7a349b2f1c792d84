"""One record after the other: sections 6 and 9 of the protocol."""

from tests.projections.fold.model.branches import Branches
from tests.projections.fold.model.claims import Claims
from tests.projections.fold.model.compensation import Compensation
from tests.projections.fold.model.decisions import Decisions
from tests.projections.fold.model.policies import Policies
from tests.projections.fold.model.records import COMMANDS, KINDS, OF_OPEN_RUNS, Head, read
from tests.projections.fold.model.runs import Runs

from farandole.eventstore import Stored, partition_of
from farandole.schemas import UndecodableValue, system_records

VERDICTS = {
    "ADMITTED": 0, "HELD": 1, "UNREADABLE": 16, "UNKNOWN_KIND": 17, "MISROUTED": 18, "NO_RUN": 19, "RUN_EXISTS": 20,
    "RUN_REMEMBERED": 21, "TOO_LATE": 22, "NOT_OWED": 23, "LATE": 24, "WRONG_ATTEMPT": 25, "RUN_ENDING": 26,
    "REPEATED": 27, "NOT_PARKED": 28, "SUPERSEDED": 29, "NOT_DUE": 30, "NO_CHANGE": 31, "NO_CONTRACT": 32, "TOO_FAR": 33,
    "NOT_PENDING": 34, "OTHER_SUBJECT": 35, "NOT_OFFERED": 36, "CLAIMED": 37, "TOO_DEEP": 38, "FULL": 39,
    "NOT_TAKEN": 40,
}  # fmt: skip


class Stop(Exception):
    """The log follows rules that this page does not have."""


class Model(Runs, Decisions, Branches, Compensation, Claims, Policies):
    """The fold of one partition."""

    def apply(self, record: Stored) -> str:
        head = read(record)
        if head is not None and KINDS.get(head.kind) in ("genesis", "version"):
            self.stop_if_unknown(record, head)
        self.here = record.offset
        if record.time > self.log_time:
            self.log_time = record.time
            self.lapse()
        verdict = "UNREADABLE" if head is None else self.judge(record, head)
        append = bytes(16) if head is None else head.append
        w = int.from_bytes(append, "big") + 256 * record.offset + VERDICTS[verdict]
        self.digest = (self.digest * 1_073_741_789 + w) % 18_446_744_073_709_551_557
        self.position = record.offset + 1
        self.end_of_record()
        for run in self.runs:
            if run.state == "ENDING" and not self.owed(run) and not self.unwind(run) and not run.letters:
                run.state = "CLOSED"
                self.remember(run.id)
        return verdict

    def stop_if_unknown(self, record: Stored, head: Head) -> None:
        try:
            if KINDS[head.kind] == "version":
                version = system_records.VERSION.decode(record.value)["version"]
            else:
                version = system_records.GENESIS.decode(record.value)["fold_version"] if self.genesis is None else 0
        except UndecodableValue:
            return
        if version > 1:
            raise Stop

    def judge(self, record: Stored, head: Head) -> str:
        if len(head.id) > 255 or len(head.type) > 255:
            return "UNREADABLE"
        kind = KINDS.get(head.kind)
        if kind is None:
            return "UNKNOWN_KIND"
        if kind in ("start", "released"):
            return self.start(record, head) if kind == "start" else "ADMITTED"
        if head.kind >= 18:
            try:
                verdict: str = getattr(self, f"admit_{kind}")(record, head)
            except UndecodableValue:
                return "UNREADABLE"
            return verdict
        key = record.key or b""
        run = self.run(key)
        if run is None and kind == "cancel" and head.causation and partition_of(key, self.partitions) == self.partition:
            return self.unknown_child(key, head)
        if run is None:
            return "NO_RUN" if partition_of(key, self.partitions) == self.partition else "MISROUTED"
        if run.state == "ENDING" and kind in OF_OPEN_RUNS:
            return "RUN_ENDING"
        if kind in COMMANDS:
            if head.not_after == 0:
                return "UNREADABLE"
            if self.log_time > head.not_after:
                return "TOO_LATE"
            if head.not_after > self.log_time + self.settings["ahead"]:
                return "TOO_FAR"
            if any(id == head.id and not_after >= self.log_time for not_after, id in self.commands):
                return "REPEATED"
        verdict = getattr(self, f"run_{kind}")(run, record, head)
        if verdict == "ADMITTED" and kind != "expire":
            run.touched = self.log_time
        if verdict == "ADMITTED" and kind in COMMANDS:
            self.commands.append((head.not_after, head.id))
        return verdict
