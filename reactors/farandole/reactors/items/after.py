"""A timer."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from farandole.projections.fold import Pair
from farandole.reactors.outputs import After
from farandole.reactors.scribe import Scribe
from farandole.reactors.written import Part
from farandole.schemas.envelope import Flag
from farandole.schemas.ids import OUTSIDE, derived_id

_AFTER: Final = b"farandole.After"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def parts(scribe: Scribe, run_id: bytes, pair: Pair, index: int, item: After[Any]) -> Sequence[Part]:
    """Its records, the first of which is the one at ``index`` in its outcome."""
    id = derived_id(pair.trigger, pair.reactor, pair.generation, index)
    # The value is copied as it is into the record that fires, so that it is sealed for that one.
    type_name, value, schema, flags = scribe.sealed(item.event, run_id, OUTSIDE + id)
    flags |= Flag.AFTER
    if isinstance(item.when, datetime):
        due = in_milliseconds(item.when - _EPOCH)
        return (Part(_AFTER, value, schema, flags, not_after=due, extra=type_name, copied=True),)
    delay = in_milliseconds(item.when)
    return (Part(_AFTER, value, schema, flags, delay=delay, extra=type_name, copied=True),)


def in_milliseconds(time: timedelta) -> int:
    """Rounded up, so that nothing happens before its time."""
    return -(-time // timedelta(milliseconds=1))
