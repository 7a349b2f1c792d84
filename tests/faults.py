"""Where things go wrong on purpose. `make faults` runs these tests alone; it is meant to take ten minutes."""

from pathlib import Path
from typing import Final

_TESTS: Final = Path(__file__).parent
_FOLDERS: Final = ("simulation", "chaos", "hostile")
_OF_KAFKA: Final = (
    "appending_under_faults", "client_faults", "damaged_on_disk", "error_codes_of_appends", "hostile_records", "membership",
    "reading_under_faults", "transactions_of_others",
)  # fmt: skip
_OF_SQLITE: Final = ("sqlite_faults", "sqlite_leases", "sqlite_processes")
_OF_WORKERS: Final = ("orders_on_sqlite", "orders_survive_kill", "rival_workers")

FAULTS: Final = frozenset(
    (
        *(_TESTS / folder for folder in _FOLDERS),
        *(_TESTS / "kafka" / f"test_{name}.py" for name in _OF_KAFKA),
        *(_TESTS / "eventstore" / f"test_{name}.py" for name in _OF_SQLITE),
        *(_TESTS / "flow" / f"test_{name}.py" for name in _OF_WORKERS),
    )
)
"""Folders and files whose tests bear the mark ``faults``."""
