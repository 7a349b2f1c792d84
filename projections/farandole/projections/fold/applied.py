"""What one record did to the state: what the worker, the client and every projection act on."""

from collections.abc import Sequence

from farandole.schemas.envelope import Envelope

from .branches import Branch, Gathering
from .contracts import Contract
from .pending import Deadline, Decision, Message, StepDeadline, Timer
from .run import Fact, Pair, Result, Run
from .verdict import Verdict

Due = Timer | Gathering | Deadline | StepDeadline
"""What may act once log time has come to its ``due``."""


# An enumeration looks its members up anew each time, which takes longer than all the rest of making one.
_ADMITTED, _NO_RESULT = Verdict.ADMITTED, Result.NONE


class More:
    """Effects that most records do not have."""

    __slots__ = ("armed", "asked", "behind", "emptied", "messages", "policies")

    def __init__(self) -> None:
        self.armed: list[tuple[Run, Due]] = []
        """What waits for a time since this record."""
        self.messages: list[tuple[bytes, Message]] = []
        """Messages owed to other partitions since this record, each with the key of the run or schedule that owes it."""
        self.policies = False
        """Whether what may be begun has changed."""
        self.emptied: list[tuple[Run, Branch]] = []
        """Branches in which nothing stands any more, unless something else of the record still enters them."""
        self.asked: list[Decision] = []
        """Decisions that people are asked for since this record."""
        self.behind: Decision | None = None
        """The decision whose record stood last in the outcome, if it asks for one."""


class Applied:
    """The effects of one record, in the order in which the fold made them."""

    __slots__ = ("admitted", "closed", "contracts", "envelope", "more", "offset", "owed", "result", "run", "settled",
                 "verdict")  # fmt: skip

    def __init__(self, offset: int = -1) -> None:
        self.offset = offset
        """The record's offset."""
        self.verdict = _ADMITTED
        self.envelope: Envelope | None = None
        """The record's headers; None if they cannot be read."""
        self.run: Run | None = None
        """The run that the record belongs to, as it is now; it may just have been closed."""
        self.admitted: list[Fact] = []
        """Events that entered the run's history with this record."""
        self.owed: list[tuple[Run, Pair]] = []
        """Pairs to work on, each no earlier than its ``due``: newly owed, owed again, or due for another attempt."""
        self.settled: list[tuple[Run, Pair]] = []
        """Pairs owed no longer: discharged, parked or dropped."""
        self.result = _NO_RESULT
        """Set when this record fixed the run's result."""
        self.closed: list[Run] = []
        """Runs that left the fold."""
        self.contracts: tuple[Contract, ...] = ()
        """Contracts that came into force with this record."""
        self.more: More | None = None
        """What else it did; None: nothing."""

    @property
    def armed(self) -> Sequence[tuple[Run, Due]]:
        """What waits for a time since this record."""
        return () if self.more is None else self.more.armed

    @property
    def messages(self) -> Sequence[tuple[bytes, Message]]:
        """Messages owed to other partitions since this record, each with the key of the run or schedule that owes it."""
        return () if self.more is None else self.more.messages

    def other(self) -> More:
        """The effects that most records do not have, to add to."""
        if self.more is None:
            self.more = More()
        return self.more

    def arm(self, run: Run, due: Due) -> None:
        """Something waits for a time."""
        self.other().armed.append((run, due))

    def owe_message(self, sender: bytes, message: Message) -> None:
        """A message is owed to another partition."""
        self.other().messages.append((sender, message))

    def empty(self, run: Run, branch: Branch) -> None:
        """Nothing stands in a branch any more."""
        self.other().emptied.append((run, branch))
