"""What a Kafka store has done so far, as plain counters that a metrics exporter can read at any time."""

from dataclasses import dataclass


@dataclass
class Stats:
    """Counters since the store was opened; they only grow."""

    appended_records: int = 0
    appended_bytes: int = 0
    appended_batches: int = 0
    not_appended: int = 0
    """Appends that certainly failed."""
    unknown: int = 0
    """Appends of which it is unknown whether the log has them."""
    read_records: int = 0
    read_batches: int = 0
    producer_rebuilds: int = 0
    reader_rebuilds: int = 0
    member_rebuilds: int = 0
    rebalances: int = 0
    rejected: int = 0
