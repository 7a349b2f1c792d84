"""Fan-outs, fan-ins that expire, and contracts that make and gather them."""

from typing import Any, ClassVar

from hypothesis import strategies as st
from tests.projections.fold.drawing.feature import Feature
from tests.projections.fold.log import a_contract, a_head, an_outcome, control_records

from farandole.eventstore import Record
from farandole.schemas.envelope import Kind

types = st.sampled_from("ABCDE")


class Branches(Feature):
    WEIGHTS: ClassVar[dict[str, int]] = {"spread": 9, "expire_fan_in": 2, "publish_what_fits": 2}
    CONTRACT: ClassVar[dict[str, st.SearchStrategy[Any]]] = {
        "gives": st.sampled_from([[], [{"form": "list", "types": ["t.A"]}]]),
        "enough": st.sampled_from([0, 0, 0, 1, 2]),
        "within": st.sampled_from([0, 0, 5, 200]),
    }

    def spread(self, data: st.DataObject) -> None:
        """An outcome that is a list, also of none, and seldom in pieces."""
        if (drawn := self.draw_pair(data)) is None:
            return
        emitted = data.draw(st.lists(types, max_size=4))
        begins = data.draw(st.sampled_from(["A", "AB", "C", ""]))
        flags = data.draw(st.sampled_from([0] * 8 + [1, 128, 256, 384, 512]))
        records = an_outcome(*drawn, *emitted, flags=flags, branches=begins)
        if len(records) > 1 and data.draw(st.integers(0, 4)) == 0:
            records = data.draw(st.permutations(records))
        self.put(*records)

    def publish_what_fits(self, data: st.DataObject) -> None:
        """Contracts that make branches, join in them and gather what they give."""
        failed = data.draw(st.sampled_from([[], ["failed:"], ["failed:t.B"]]))
        contents = [
            a_contract("p", "A|B", gives=[{"form": "list", "types": ["t.A", "t.B"]}]),
            a_contract("q", "C|D", form="list", each="t.A", within=data.draw(st.sampled_from([0, 5, 200]))),
            a_contract("r", "E|B", form="list", each="t.B", enough=data.draw(st.sampled_from([0, 0, 2])), within=5),
            a_contract("s", "C", "E|D"),
        ]
        contents[1]["takes"][0] += failed
        for content in contents:
            in_force = self.fold.contracts.get(content["reactor"].encode())
            content["replaces"] = in_force.id if in_force else ""
        self.put(*control_records(Kind.CONTRACT, *contents[data.draw(st.integers(0, 2)) :]))

    def expire_fan_in(self, data: st.DataObject) -> None:
        gathering = [
            (run.id, fanout.id, gathering.reactor)
            for run in self.fold.runs.values()
            for fanout in ((run.pending and run.pending.fanouts) or {}).values()
            for gathering in fanout.gatherings or ()
        ]
        run, fanout, reactor = data.draw(st.sampled_from(gathering * 8 + [(b"a", b"f", b"p")]))
        head = a_head(Kind.EXPIRY, type=b"farandole.Failure", causation=fanout, reactor=reactor)
        self.put(Record(run, b"", head))
