"""The fold and what it is made of."""

from .applied import Applied
from .branches import FAILURE, NOTHING, Gathering
from .children import FIRST_NEWS, START_OF_CHILD
from .closed import ClosedIds
from .contracts import (
    CHILD_DONE,
    CHILD_FAILED,
    FAILED,
    MOST_CONTRACT,
    MOST_TOGETHER,
    Contract,
    Contracts,
    contract_id,
)
from .fold import KNOWN_VERSION, Fold, UnknownFoldVersion
from .pending import UNDO, Deadline, Decision, Message, MessageKey, Parent, StepDeadline, Timer
from .run import LIFE, TAKES, Fact, Pair, PairKey, Result, Run, RunState, Turn
from .schedules import Schedule
from .settings import Settings
from .status import OwedStep, RunStatus, Status, standing_of, status_of, unserved_events
from .verdict import Verdict
from .waiting import Awaited, awaited
from .waits import ParentRun, PendingChild, PendingDecision, PendingMessage, PendingTimer

__all__ = [
    "CHILD_DONE",
    "CHILD_FAILED",
    "FAILED",
    "FAILURE",
    "FIRST_NEWS",
    "KNOWN_VERSION",
    "LIFE",
    "MOST_CONTRACT",
    "MOST_TOGETHER",
    "NOTHING",
    "START_OF_CHILD",
    "TAKES",
    "UNDO",
    "Applied",
    "Awaited",
    "ClosedIds",
    "Contract",
    "Contracts",
    "Deadline",
    "Decision",
    "Fact",
    "Fold",
    "Gathering",
    "Message",
    "MessageKey",
    "OwedStep",
    "Pair",
    "PairKey",
    "Parent",
    "ParentRun",
    "PendingChild",
    "PendingDecision",
    "PendingMessage",
    "PendingTimer",
    "Result",
    "Run",
    "RunState",
    "RunStatus",
    "Schedule",
    "Settings",
    "Status",
    "StepDeadline",
    "Timer",
    "Turn",
    "UnknownFoldVersion",
    "Verdict",
    "awaited",
    "contract_id",
    "standing_of",
    "status_of",
    "unserved_events",
]
