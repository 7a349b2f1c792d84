"""Steps that are undone, and retries with another input."""

from hypothesis import strategies as st
from tests.projections.fold.drawing.feature import Feature
from tests.projections.fold.log import an_outcome, wire

from farandole.eventstore import Record
from farandole.schemas.envelope import Kind

_TYPES = st.sampled_from("ABCDE")


class Compensation(Feature):
    """Ends that undo what was done."""

    WEIGHTS = {"end_and_undo": 2, "retry_edited": 3}  # noqa: RUF012
    CONTRACT = {"compensates": st.sampled_from([True, False, False])}  # noqa: RUF012

    def end_and_undo(self, data: st.DataObject) -> None:
        if (drawn := self.draw_pair(data)) is None:
            return
        emitted = data.draw(st.lists(_TYPES, max_size=2))
        self.put(*an_outcome(*drawn, *emitted, flags=data.draw(st.sampled_from([5, 5, 7, 4]))))

    def retry_edited(self, data: st.DataObject) -> None:
        parked = [(run.id, pair) for run in self.fold.runs.values() for pair in run.owed.values() if pair.parked]
        if not parked:
            return
        run, pair = data.draw(st.sampled_from(parked))
        place = data.draw(st.sampled_from([0, 0, 0, 1, 2]))
        its = pair.types[place] if place < len(pair.types) else b"t.A"
        type = data.draw(st.sampled_from([its, its, its, wire("B")]))
        extra = data.draw(
            st.sampled_from([bytes((place, 2)) + b"mewhy"] * 6 + [b"", bytes((place, 9)), bytes((place, 0))])
        )
        head = self.head(data, Kind.RETRY, type=type, causation=pair.parked, flags=2048, extra=extra)
        self.put(Record(run, b"", head))
