"""Two runs side by side."""

from dataclasses import fields
from typing import Any

from farandole.dashboard.pages.comparing import aligned, differences
from farandole.projections.runs.query import RecordRow


def an_event(type: str, payload: Any = None, reactor: str = "") -> RecordRow:
    said: dict[str, Any] = {"type": type, "payload": payload, "reactor": reactor}
    return RecordRow(**{field.name: said.get(field.name) for field in fields(RecordRow)})


def test_equal_runs_have_no_parting() -> None:
    events = [an_event("A", {"x": 1}), an_event("B", reactor="r")]
    assert all(pair.same and not pair.first for pair in aligned(events, events))


def test_the_first_event_that_one_of_them_lacks_is_where_they_part() -> None:
    a = [an_event("A"), an_event("B"), an_event("C")]
    b = [an_event("A"), an_event("X"), an_event("C")]
    pairs = aligned(a, b)
    assert [(p.a.type if p.a else None, p.b.type if p.b else None) for p in pairs] == [
        ("A", "A"), ("B", None), (None, "X"), ("C", "C"),
    ]  # fmt: skip
    assert [pair.first for pair in pairs] == [False, True, False, False]


def test_payloads_are_compared_by_path() -> None:
    one = {"a": 1, "b": {"c": [1, 2]}, "d": "same", "e": None}
    two = {"a": 2, "b": {"c": [1, 3, 4]}, "d": "same"}
    assert differences(one, two) == [("a", "1", "2"), ("b.c[1]", "2", "3"), ("e", "null", "–"), ("b.c[2]", "–", "4")]
    assert differences(one, one) == []
    assert differences(None, {"a": 1}) == [("(all of it)", "null", "–"), ("a", "–", "1")]
