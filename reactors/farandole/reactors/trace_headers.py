"""The headers of a trace (W3C Trace Context), which go along where a record is written because of another one."""

from collections.abc import Sequence
from typing import Final

from farandole.schemas.envelope import Header

_NAMES: Final = ("traceparent", "tracestate")


def carried(headers: Sequence[Header]) -> list[Header]:
    """Those among a record's headers; none while tracing is off."""
    return [header for header in headers if header[0] in _NAMES]
