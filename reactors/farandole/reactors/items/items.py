"""All items of one outcome."""

from collections.abc import Sequence

from farandole.projections.fold import Pair
from farandole.reactors.outputs import After, Ask, Child, Item
from farandole.reactors.scribe import Scribe
from farandole.reactors.written import Part
from farandole.schemas import Event

from . import after, ask, child, events


def parts_of(scribe: Scribe, run_id: bytes, pair: Pair, items: Sequence[Item]) -> list[Part]:
    """The records of an outcome, as parts, in the order of the items; an item may take several."""
    parts: list[Part] = []
    for item in items:
        parts += _parts(scribe, run_id, pair, len(parts), item)
    return parts


def _parts(scribe: Scribe, run_id: bytes, pair: Pair, index: int, item: Item) -> Sequence[Part]:
    match item:
        case Event():
            return events.parts(scribe, run_id, pair, index, item)
        case After():
            return after.parts(scribe, run_id, pair, index, item)
        case Ask():
            return ask.parts(scribe, run_id, pair, index, item)
        case Child():
            return child.parts(scribe, run_id, pair, index, item)
