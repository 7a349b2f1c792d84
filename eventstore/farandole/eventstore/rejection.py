"""The headers that a record gets when it is copied to ``<choreography>.rejected``."""

from collections.abc import Sequence
from typing import Final

from farandole.schemas.envelope import Header

from .contract import Stored

REASON: Final = "fa_rejected_reason"
TOPIC: Final = "fa_rejected_topic"
PARTITION: Final = "fa_rejected_partition"
OFFSET: Final = "fa_rejected_offset"


def rejected_headers(record: Stored, reason: str, topic: str) -> Sequence[Header]:
    """The record's own headers, then why and where it was rejected; numbers are decimal digits."""
    return (
        *record.headers,
        (REASON, reason.encode()),
        (TOPIC, topic.encode()),
        (PARTITION, b"%d" % record.partition),
        (OFFSET, b"%d" % record.offset),
    )
