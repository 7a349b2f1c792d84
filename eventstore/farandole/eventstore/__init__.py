"""The log: append a batch, read from an offset, own partitions. Kafka, SQLite and in-memory kinds behind one interface.

`connect` opens one. What all of them promise is in `farandole.eventstore.contract`; the tests that hold them to it
are published as ``farandole.eventstore.testing``.
"""

from .clock import VIRTUAL_EPOCH, Clock, LoopClock, SystemClock
from .connect import check_name, connect
from .contract import LIVE_KEPT, Ends, EventStore, Live, NotKept, Ownership, Reader, Record, Stored, Table
from .errors import (
    AppendError,
    AppendUnknown,
    NotAppended,
    PartitionCorrupt,
    PositionLost,
    SchemaUnavailable,
    StoreClosed,
    StoreError,
    StoreMisconfigured,
    StoreUnavailable,
    TooLarge,
)
from .partitioner import partition_of
from .urls import without_secrets

__all__ = [
    "LIVE_KEPT",
    "VIRTUAL_EPOCH",
    "AppendError",
    "AppendUnknown",
    "Clock",
    "Ends",
    "EventStore",
    "Live",
    "LoopClock",
    "NotAppended",
    "NotKept",
    "Ownership",
    "PartitionCorrupt",
    "PositionLost",
    "Reader",
    "Record",
    "SchemaUnavailable",
    "StoreClosed",
    "StoreError",
    "StoreMisconfigured",
    "StoreUnavailable",
    "Stored",
    "SystemClock",
    "Table",
    "TooLarge",
    "check_name",
    "connect",
    "partition_of",
    "without_secrets",
]
