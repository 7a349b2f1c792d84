"""Policies: reactors are stopped and go on."""

from typing import ClassVar

from hypothesis import strategies as st
from tests.projections.fold.drawing.feature import Feature
from tests.projections.fold.log import control_records

from farandole.schemas.envelope import Kind


class Policies(Feature):
    WEIGHTS: ClassVar[dict[str, int]] = {"stop_or_go_on": 2}

    def stop_or_go_on(self, data: st.DataObject) -> None:
        reactor = data.draw(st.sampled_from(["", "p", "q", "r", "nobody"]))
        number, _ = self.fold.stopped.get(reactor.encode(), (0, False))
        content = {
            "reactor": reactor,
            "stopped": data.draw(st.booleans()),
            "number": number + data.draw(st.sampled_from([1, 1, 1, 0, 2])),
            "reason": "",
            "by": "",
        }
        self.put(*control_records(Kind.POLICY, content))
