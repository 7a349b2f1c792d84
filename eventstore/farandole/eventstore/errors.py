"""What can go wrong with a log, as a tree:

FarandoleError
└── StoreError
    ├── StoreUnavailable     the log cannot be reached now; trying again may help
    │   └── SchemaUnavailable    the schema registry cannot, and has to say something first
    ├── StoreMisconfigured   the log is reachable, but its settings, size or credentials are wrong; says the cure
    ├── StoreClosed          this store was closed
    ├── AppendError
    │   ├── NotAppended      certainly not in the log; appending again is safe and may help
    │   ├── AppendUnknown    it may or may not be in the log: append *the same bytes* again
    │   └── TooLarge         larger than the log takes; never appended, never will be
    ├── PartitionCorrupt     a partition holds bytes that are no records; says which, and where
    └── PositionLost         the log no longer holds the position asked for, or another log is there now
"""

from farandole.schemas.errors import FarandoleError


class StoreError(FarandoleError):
    """The root of what can go wrong with a log."""


class StoreUnavailable(StoreError):
    """The log cannot be reached now; trying again may help."""


class SchemaUnavailable(StoreUnavailable):
    """The schema registry cannot be reached now, and has to be asked before this can be done; trying again may help."""


class StoreMisconfigured(StoreError):
    """The log is reachable, but its settings, its size or the credentials are wrong. The message says the cure."""


class StoreClosed(StoreError):
    """This store was closed."""


class AppendError(StoreError):
    """Records were not, or perhaps not, appended."""


class NotAppended(AppendError):
    """The records are certainly not in the log; appending again is safe and may help."""


class AppendUnknown(AppendError):
    """The records may or may not be in the log. Append the same bytes again; the fold refuses the second copy."""


class TooLarge(AppendError):
    """A record is larger than the log takes. It was not sent, and appending it again cannot help."""


class PartitionCorrupt(StoreError):
    """A partition holds bytes that are no records. Nothing was skipped; other partitions can be read on.

    Attributes:
        partition: which one.
    """

    def __init__(self, message: str, partition: int) -> None:
        super().__init__(message)
        self.partition = partition


class PositionLost(StoreError):
    """The log no longer holds the position asked for, or another log stands in its place: restore from the start."""
