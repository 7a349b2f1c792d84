"""Questions about runs, answered from the tables; every answer says up to where in the log it is true."""

from .answers import (
    Answer,
    ChildRow,
    DecisionRow,
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
    StepRow,
    TimerRow,
)
from .figures import Figures, ReactorFigures
from .filters import Where
from .pages import UnknownCursor
from .runs import Behind, Runs

__all__ = [
    "Answer",
    "Behind",
    "ChildRow",
    "DecisionRow",
    "FailureGroup",
    "FailureRow",
    "Figures",
    "Freshness",
    "MinuteRow",
    "PolicyRow",
    "ReactorFigures",
    "ReactorRow",
    "RecordRow",
    "RunRow",
    "RunThen",
    "Runs",
    "ScheduleRow",
    "StepRow",
    "TimerRow",
    "UnknownCursor",
    "Where",
]
