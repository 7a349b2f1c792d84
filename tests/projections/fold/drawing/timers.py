"""Timers, what drops them, and deadlines."""

from typing import ClassVar

from hypothesis import strategies as st
from tests.projections.fold.drawing.feature import Feature
from tests.projections.fold.log import a_head, a_timer, an_outcome_of, wire

from farandole.eventstore import Record
from farandole.schemas.envelope import Kind

_types = st.sampled_from("ABCDE")
_times = st.sampled_from([0, 0, 1, 30, 200, -3])


class Timers(Feature):
    """Outcomes that set timers, records that fire them, runs with deadlines."""

    WEIGHTS: ClassVar = {"set_timers": 6, "fire": 6, "run_out_of_time": 2, "start_in_haste": 1}
    CONTRACT: ClassVar = {
        "unless": st.sampled_from([[]] * 3 + [["t.A"], ["t.B"], ["t.B", "t.C"]]),
        "deadline": st.sampled_from([0, 0, 0, 50]),
    }

    def set_timers(self, data: st.DataObject) -> None:
        if (drawn := self.draw_pair(data)) is None:
            return
        parts = []
        for _ in range(data.draw(st.integers(1, 3))):
            part = {"extra": wire(data.draw(_types)), "flags": 128 | data.draw(st.sampled_from([0] * 8 + [1, 3, 16]))}
            match data.draw(st.integers(0, 5)):
                case 0:
                    part["not_after"] = self.now + data.draw(_times)
                case 1:
                    part = {"type": part["extra"]}
                case 2 if data.draw(st.integers(0, 4)) == 3:
                    part["extra"] = data.draw(st.sampled_from([b"", b"n" * 256]))
                case _:
                    part["delay"] = data.draw(_times)
            parts.append(part)
        self.put(*an_outcome_of(*drawn, *parts))

    def fire(self, data: st.DataObject) -> None:
        pending = [
            (run.id, timer)
            for run in self.fold.runs.values()
            if run.pending is not None
            for timer in (run.pending.timers or {}).values()
        ]
        if not pending:
            return
        run, timer = data.draw(st.sampled_from(pending))
        odd = data.draw(st.sampled_from([{}] * 8 + [{"id": b"x1"}, {"type": b"t.E"}, {"causation": b"none"}]))
        self.put(a_timer(run, timer, **odd))

    def run_out_of_time(self, data: st.DataObject) -> None:
        self.put(Record(self.draw_run(data), None, a_head(Kind.EXPIRY, type=b"farandole.Expiry")))

    def start_in_haste(self, data: st.DataObject) -> None:
        head = a_head(Kind.START, type=wire(data.draw(_types)), delay=data.draw(st.sampled_from([1, 30, 200, -1])))
        self.put(Record(self.draw_run(data), b"", head))
