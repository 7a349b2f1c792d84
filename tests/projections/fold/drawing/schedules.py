"""Schedules tick, and hear of what they started."""

from typing import ClassVar

from hypothesis import strategies as st
from tests.projections.fold.drawing.feature import Feature
from tests.projections.fold.log import an_append, an_id, wire
from tests.projections.fold.said import a_tick, some_news

from farandole.eventstore import Record
from farandole.schemas.envelope import Flag, Kind, pack

NAMES = [b"night", b"day", b"a"]
"""All but one of partition 0 of two."""


class Schedules(Feature):
    WEIGHTS: ClassVar = {"tick": 3, "schedule_hears": 3}
    SETTINGS: ClassVar = {"schedules_most": [0, 1, 100]}

    def tick(self, data: st.DataObject) -> None:
        ms = max(self.now + data.draw(st.sampled_from([0, 0, 0, -1, -5, 1, 400])), 0)
        said = a_tick(ms, wire(data.draw(st.sampled_from("AB"))), overlap=data.draw(st.sampled_from([0, 1, 2, 3])))
        extra = data.draw(st.sampled_from([said] * 12 + [said[:9], said[:8] + b"\4" + said[9:], b"\xff" + said[1:]]))
        key = data.draw(st.sampled_from([*NAMES * 5, b"", b"n" * 235]))
        self.put(Record(key, b"", self._head(data, Kind.TICK, b"", extra)))

    def schedule_hears(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from([*self.fold.schedules, *NAMES]))
        schedule = self.fold.schedules.get(name)
        children = sorted(schedule.children or ()) if schedule is not None else []
        messages = list(schedule.messages or ()) if schedule is not None else []
        if data.draw(st.booleans()):
            told = some_news(b"t.A", flags=data.draw(st.sampled_from([0, 0, 1, 2])))
            kind = data.draw(st.sampled_from([Kind.CHILD_ENDED, Kind.CHILD_FAILED]))
            child = data.draw(st.sampled_from([*children * 4, b"none"]))
            self.put(Record(name, b"", self._head(data, kind, child, told)))
            return
        id, n = data.draw(st.sampled_from([*messages * 4, (b"none", 0)]))
        extra = bytes([data.draw(st.sampled_from([0, 0, 20]))]) + bytes(8)
        self.put(Record(name, b"", self._head(data, Kind.DELIVERED, id, extra, n)))

    def _head(
        self, data: st.DataObject, kind: Kind, causation: bytes, extra: bytes, attempt: int = 0
    ) -> list[tuple[str, bytes]]:
        id = data.draw(st.sampled_from([b""] * 9 + [b"x1"])) or an_id()
        return pack(
            kind=kind, id=id, type=b"farandole.Any", source=b"/t/tests", append=an_append(), sent=1, extra=extra,
            flags=int(Flag.OF_SCHEDULE), causation=causation, attempt=attempt,
        )  # fmt: skip
