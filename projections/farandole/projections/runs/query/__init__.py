"""Questions about runs, answered from the tables; every answer says up to where in the log it is true."""

from .answers import (
    Answer,
    ChildRow,
    DecisionRow,
    DueRow,
    FailureGroup,
    FailureRow,
    Freshness,
    MinuteRow,
    PolicyRow,
    ReactorRow,
    RecordRow,
    RunRow,
    RunThen,
    ScheduleRow,
    ServiceRow,
    StepRow,
    TimerRow,
)
from .asking import Behind
from .causation import CauseEdge, CauseGraph, CauseNode
from .comparing import Difference, RunDiff, compare_payloads
from .figures import Figures, ReactorFigures
from .filters import Where
from .governing import TooWide
from .kin import Family, RelativeRow
from .pages import UnknownCursor
from .people import KINDS_OF_ACTS, ActRow
from .projections import ProjectionRow
from .runs import Runs
from .spending import UnknownGrouping, UsageRow
from .waiting import WaitingGroup, WaitsFor

__all__ = [
    "KINDS_OF_ACTS",
    "ActRow",
    "Answer",
    "Behind",
    "CauseEdge",
    "CauseGraph",
    "CauseNode",
    "ChildRow",
    "DecisionRow",
    "Difference",
    "DueRow",
    "FailureGroup",
    "FailureRow",
    "Family",
    "Figures",
    "Freshness",
    "MinuteRow",
    "PolicyRow",
    "ProjectionRow",
    "ReactorFigures",
    "ReactorRow",
    "RecordRow",
    "RelativeRow",
    "RunDiff",
    "RunRow",
    "RunThen",
    "Runs",
    "ScheduleRow",
    "ServiceRow",
    "StepRow",
    "TimerRow",
    "TooWide",
    "UnknownCursor",
    "UnknownGrouping",
    "UsageRow",
    "WaitingGroup",
    "WaitsFor",
    "Where",
    "compare_payloads",
]
