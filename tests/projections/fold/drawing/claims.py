"""Steps that take long: claims, losses, progress and sub-steps."""

from typing import Any, ClassVar

from hypothesis import strategies as st
from tests.projections.fold.drawing.feature import Feature
from tests.projections.fold.log import a_head

from farandole.eventstore import Record
from farandole.schemas.envelope import Kind

_HOLDERS = [bytes([n]) * 16 for n in (1, 2, 3)]
_NAMES = [b"one", b"two", b"three", b"", b"n" * 256]


class Claims(Feature):
    WEIGHTS: ClassVar[dict[str, int]] = {"claim": 4, "lose": 4, "tell": 1, "do_once": 3}
    SETTINGS: ClassVar[dict[str, list[int]]] = {
        "lost_most": [0, 1, 2, 3],
        "lease_most": [0, 10, 1000],
        "once_most": [0, 1, 2],
    }

    def claim(self, data: st.DataObject) -> None:
        holder = data.draw(st.sampled_from([*_HOLDERS * 4, b"", b"short"]))
        self.put_for_a_pair(data, Kind.CLAIM, delay=data.draw(st.sampled_from([30, 30, 5, 0, -1])), extra=holder)

    def lose(self, data: st.DataObject) -> None:
        """Mostly of the claim that there is."""
        if (drawn := self.draw_pair(data)) is None:
            return
        claimed = [
            (run.id, pair) for run in self.fold.runs.values() for pair in run.owed.values() if pair.work is not None
        ]
        run, pair = data.draw(st.sampled_from([*claimed * 3, drawn]))
        holder = pair.work.holder if pair.work is not None and data.draw(st.booleans()) else None
        if data.draw(st.booleans()):
            self.now += 31
        self.put_for(run, pair, Kind.LOST, extra=data.draw(st.sampled_from(_HOLDERS)) if holder is None else holder)

    def tell(self, data: st.DataObject) -> None:
        self.put_for_a_pair(data, Kind.PROGRESS)

    def do_once(self, data: st.DataObject) -> None:
        self.put_for_a_pair(data, Kind.SUBSTEP, extra=data.draw(st.sampled_from(_NAMES)))

    def put_for_a_pair(self, data: st.DataObject, kind: Kind, **more: Any) -> None:
        if (drawn := self.draw_pair(data)) is not None:
            self.put_for(*drawn, kind, **more)

    def put_for(self, run: bytes, pair: Any, kind: Kind, **more: Any) -> None:
        head = a_head(kind, causation=pair.trigger, reactor=pair.reactor, generation=pair.generation, **more)
        self.put(Record(run, b"", head))
