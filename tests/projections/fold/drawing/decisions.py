"""Questions to people, their answers, and what happens without."""

from typing import Any, ClassVar

from hypothesis import strategies as st
from tests.projections.fold.drawing.feature import Feature
from tests.projections.fold.log import HASH, an_answer, an_expiry, an_outcome_of, asks, otherwise, wire

from farandole.projections.fold import Decision

_types = st.sampled_from("ABCDE")
_who = st.sampled_from(["", "", "ann", "bob", "eve"])


class Decisions(Feature):
    """Outcomes that ask, answers that often fit, and expiries."""

    WEIGHTS: ClassVar = {"ask": 5, "answer": 7, "nobody_answered": 3}

    def ask(self, data: st.DataObject) -> None:
        if (drawn := self.draw_pair(data)) is None:
            return
        parts: list[dict[str, Any]] = []
        for _ in range(data.draw(st.integers(1, 2))):
            answers = data.draw(st.lists(_types, min_size=1, max_size=3))
            part = asks(*answers, quorum=data.draw(st.sampled_from([1, 1, 2, 3, 0])))
            if data.draw(st.integers(0, 9)) == 7:
                part["extra"] = data.draw(st.sampled_from([b"", bytes(17), bytes(18), part["extra"] + b"\0\0"]))
            parts.append(part)
            if data.draw(st.integers(0, 5)) == 3:
                parts.append({"type": wire(data.draw(_types)), "flags": data.draw(st.sampled_from([0, 0, 1]))})
            if data.draw(st.booleans()):
                flags, delay = data.draw(st.sampled_from([0] * 6 + [1, 3, 16])), data.draw(st.sampled_from([0, 5, 30]))
                parts.append(otherwise(data.draw(_types), delay, flags=flags))
        if data.draw(st.integers(0, 9)) == 7:
            parts = data.draw(st.permutations(parts))
        self.put(*an_outcome_of(*drawn, *parts))

    def _pending(self) -> list[tuple[bytes, Decision]]:
        return [
            (run.id, decision)
            for run in self.fold.runs.values()
            if run.pending is not None
            for decision in (run.pending.decisions or {}).values()
        ]

    def answer(self, data: st.DataObject) -> None:
        if not (pending := self._pending()):
            self.put(an_answer(b"a", Decision(b"none", 0, (), 1, HASH, 0), "A", now=self.now))
            return
        run, decision = data.draw(st.sampled_from(pending))
        offered = [name.decode().removeprefix("t.") for name in decision.answers] or ["A"]
        type = data.draw(st.sampled_from(offered * 3 + ["E"]))
        odd = data.draw(
            st.sampled_from([{}] * 10 + [{"extra": bytes(16)}, {"extra": bytes(16) + b"\5ann"}, {"extra": bytes(17)}])
        )
        flags = data.draw(st.sampled_from([0] * 8 + [1, 16]))
        self.put(an_answer(run, decision, type, data.draw(_who), now=self.now, flags=flags, **odd))

    def nobody_answered(self, data: st.DataObject) -> None:
        pending = [each for each in self._pending() if each[1].otherwise is not None]
        if pending:
            run, decision = data.draw(st.sampled_from(pending))
            odd = data.draw(st.sampled_from([{}] * 8 + [{"id": b"x1"}, {"type": b"t.E"}, {"causation": b"none"}]))
            self.put(an_expiry(run, decision, **odd))
