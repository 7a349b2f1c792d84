"""A plain event."""

from collections.abc import Sequence

from farandole.projections.fold import Pair
from farandole.reactors.scribe import Scribe
from farandole.reactors.written import Part
from farandole.schemas import Event
from farandole.schemas.ids import derived_id


def parts(scribe: Scribe, run_id: bytes, pair: Pair, index: int, item: Event) -> Sequence[Part]:
    """Its record, which is the one at ``index`` in its outcome."""
    id = derived_id(pair.trigger, pair.reactor, pair.generation, index)
    return (Part(*scribe.sealed(item, run_id, id)),)
