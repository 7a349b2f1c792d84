"""Testing choreographies: scenarios on virtual time, and brokers and networks that misbehave.

Nothing is imported before it is asked for: pytest loads the plugin in this package wherever Farandole is installed.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .scenario import FailedAttempt, NotAtRest, Refused, Scenario, ScenarioError, ScenarioRun
    from .virtual import Deadlock, VirtualTimeLoop, run_virtual

__all__ = [
    "Deadlock",
    "FailedAttempt",
    "NotAtRest",
    "Refused",
    "Scenario",
    "ScenarioError",
    "ScenarioRun",
    "VirtualTimeLoop",
    "run_virtual",
]

_VIRTUAL = ("Deadlock", "VirtualTimeLoop", "run_virtual")


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(".virtual" if name in _VIRTUAL else ".scenario", __name__), name)
    globals()[name] = value
    return value
