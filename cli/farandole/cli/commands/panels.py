"""The groups under which the help lists commands."""

from typing import Final

TRY: Final = "Try and develop"
WORK: Final = "Work"
RUNS: Final = "Runs"
CARE: Final = "Look after"
