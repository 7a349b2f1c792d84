"""Children and what runs tell each other."""

from typing import Any, ClassVar

from hypothesis import strategies as st
from tests.projections.fold.drawing.feature import Feature
from tests.projections.fold.log import an_append, an_id, wire
from tests.projections.fold.said import a_child, a_sender, some_news

from farandole.eventstore import Record
from farandole.schemas.envelope import Flag, Kind, pack
from farandole.schemas.ids import derived_id

_types = st.sampled_from("ABCDE")


class Children(Feature):
    WEIGHTS: ClassVar = {"bear": 4, "start_of_child": 2, "cancel_of_child": 1, "child_tells": 4, "deliver": 4}
    SETTINGS: ClassVar = {"depth": [0, 1, 16]}

    def bear(self, data: st.DataObject) -> None:
        """An outcome that bears children, among plain events."""
        if (drawn := self.draw_pair(data)) is None:
            return
        run, pair = drawn
        parts = data.draw(
            st.lists(st.sampled_from(["child", "child", "detached", "given", "odd", "A", "B"]), max_size=3)
        )
        append, records = an_append(), []
        for index, part in enumerate(parts):
            name = wire(data.draw(_types))
            extra = {
                "child": a_child(name),
                "detached": a_child(name, detach=1),
                "given": a_child(name, run_id=b"given", choreography=b"u"),
                "odd": data.draw(st.sampled_from([b"", b"\3\0\0t.A", b"\0\0\0", b"\0\5t.A"])),
            }.get(part, b"")
            flags = int(Flag.CHILD) if len(part) > 1 else data.draw(st.sampled_from([0, 0, 0, 1]))
            head = pack(
                kind=Kind.OUTCOME, id=derived_id(pair.trigger, pair.reactor, pair.generation, index), type=name,
                source=b"/t/tests", append=append, sent=1, index=index, count=len(parts), flags=flags, extra=extra,
                causation=pair.trigger, reactor=pair.reactor, generation=pair.generation,
            )  # fmt: skip
            records.append(Record(run, b"", head))
        self.put(*records)

    def start_of_child(self, data: st.DataObject) -> None:
        child = data.draw(st.sampled_from([b"1", b"2", b"3"]))
        sender = a_sender(b"p", depth=data.draw(st.sampled_from([0, 1, 1, 2, 17])), flags=data.draw(st.integers(0, 3)))
        extra = data.draw(st.sampled_from([sender] * 8 + [sender[:13], b"\2" + sender[1:], sender[:12] + b"\7"]))
        id = data.draw(st.sampled_from([b"x" + child] * 8 + [b"x9"]))
        head = self.head(data, Kind.START, type=wire(data.draw(_types)), causation=child, extra=extra)
        self.put(Record(data.draw(st.sampled_from([b"a", b"b", b"c"])), b"", [*head, ("ce_id", id)]))

    def cancel_of_child(self, data: st.DataObject) -> None:
        run = self.draw_run(data)
        starts = [self.fold.runs[run].start] if run in self.fold.runs else []
        causation = data.draw(st.sampled_from([*starts * 3, b"x1", b"x2"]))
        self.put(Record(run, b"", self.head(data, Kind.CANCEL, causation=causation, extra=a_sender(b"p"))))

    def child_tells(self, data: st.DataObject) -> None:
        run = self.draw_run(data)
        name = data.draw(st.sampled_from([b"t.A", b"t.B", b"C"]))
        told = some_news(name, flags=data.draw(st.sampled_from([0, 1, 1, 2, 4])))
        extra = data.draw(st.sampled_from([told] * 10 + [b"", told[:16], some_news(name, run_id=b"")]))
        kind = data.draw(st.sampled_from([Kind.CHILD_ENDED, Kind.CHILD_FAILED]))
        self.put(Record(run, b"", self._about(data, kind, self._child(data, run), extra)))

    def deliver(self, data: st.DataObject) -> None:
        run = self.draw_run(data)
        pending = self.fold.runs[run].pending if run in self.fold.runs else None
        messages = list(pending.messages or ()) if pending is not None else []
        id, n = data.draw(st.sampled_from([*messages * 4, (b"none", 0)]))
        extra = bytes([data.draw(st.sampled_from([0, 0, 1, 16, 20]))]) + bytes(
            data.draw(st.sampled_from([8] * 9 + [7]))
        )
        self.put(Record(run, b"", self._about(data, Kind.DELIVERED, id, extra, attempt=n)))

    def _child(self, data: st.DataObject, run: bytes) -> bytes:
        pending = self.fold.runs[run].pending if run in self.fold.runs else None
        children = sorted(pending.children or ()) if pending is not None else []
        return data.draw(st.sampled_from([*children * 4, b"none"]))

    def _about(self, data: st.DataObject, kind: Kind, causation: bytes, extra: bytes, **more: Any) -> Any:
        flags = data.draw(st.sampled_from([0] * 15 + [int(Flag.OF_SCHEDULE)]))
        return pack(
            kind=kind, id=an_id(), type=b"farandole.Any", source=b"/t/tests", append=an_append(), sent=1, flags=flags,
            causation=causation, extra=extra, **more,
        )  # fmt: skip
