"""Given, when, then: tests of choreographies in memory and on virtual time."""

from .errors import NotAtRest, ScenarioError
from .run import FailedAttempt, Refused, ScenarioRun
from .scenario import Scenario

__all__ = ["FailedAttempt", "NotAtRest", "Refused", "Scenario", "ScenarioError", "ScenarioRun"]
