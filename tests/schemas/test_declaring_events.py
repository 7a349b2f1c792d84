"""A class of events says what it is, and what is wrong with it is said when it is made."""

import sys
from datetime import timedelta
from typing import Any, Generic, TypeVar

import pytest
from pydantic import ConfigDict, ValidationError

from farandole.schemas import (
    Answer,
    DeclarationError,
    End,
    Event,
    EventTypes,
    Signal,
    Start,
    event_info,
    upcast,
)

T = TypeVar("T")


class Got(Event, Generic[T]):
    value: T


class Sourced(Event, abstract=True):
    source: str


class Later(Event):
    what: "Thing | None" = None


class Thing(Sourced):
    size: int


def test_an_event_is_named_after_its_class() -> None:
    info = event_info(Thing)
    assert (info.name, info.version, info.kind, info.abstract, info.wants_reactor) == ("Thing", 1, "event", False, True)


def test_class_keywords_say_the_rest() -> None:
    class Placed(Start, name="OrderPlaced", deadline="7d"): ...

    class Done(End, final=True, compensate=True, wants_reactor=False): ...

    placed, done = event_info(Placed), event_info(Done)
    assert (placed.name, placed.kind, placed.deadline) == ("OrderPlaced", "start", timedelta(days=7))
    assert (done.kind, done.final, done.compensate, done.wants_reactor) == ("end", True, True, False)


@pytest.mark.parametrize(
    ("base", "kind"), [(Event, "event"), (Start, "start"), (Signal, "signal"), (Answer, "answer"), (End, "end")]
)
def test_each_kind_is_abstract_and_gives_its_kind(base: type[Event], kind: str) -> None:
    made: type[Event] = type("Made", (base,), {"__module__": __name__})
    assert event_info(base).abstract
    assert not event_info(made).abstract
    assert event_info(made).kind == event_info(base).kind == kind


def test_an_answer_says_who_gave_it() -> None:
    class Approved(Answer): ...

    assert Approved(by="ann").model_dump() == {"by": "ann", "comment": ""}


def test_keywords_are_not_inherited() -> None:
    class Base(Start, abstract=True, deadline="1d", wants_reactor=False): ...

    class Placed(Base): ...

    info = event_info(Placed)
    assert (info.abstract, info.deadline, info.wants_reactor) == (False, None, True)


def test_abstract_events_can_be_extended() -> None:
    assert Thing(source="x", size=1).source == "x"


def test_concrete_events_are_final() -> None:
    with pytest.raises(DeclarationError, match="Thing is an event of its own and cannot be extended"):

        class Bigger(Thing): ...


def test_generic_events_can_be_fixed_and_then_are_final() -> None:
    class GotInt(Got[int]): ...

    class GotText(Got[str], name="GotStr"): ...

    assert event_info(Got).abstract
    assert event_info(Got[int]).abstract
    assert not event_info(GotInt).abstract
    types = EventTypes("a", [GotInt, GotText])
    assert types.decode("a.GotStr", types.encode(GotText(value="x")).value) == GotText(value="x")
    with pytest.raises(DeclarationError, match="GotInt is an event of its own"):

        class Again(GotInt): ...


def test_events_are_immutable_and_take_no_unknown_fields() -> None:
    thing = Thing(source="x", size=1)
    with pytest.raises(ValidationError):
        thing.size = 2  # type: ignore[misc]
    with pytest.raises(ValidationError):
        Thing(source="x", size=1, more=2)  # type: ignore[call-arg]


def test_validation_errors_do_not_quote_what_was_given() -> None:
    with pytest.raises(ValidationError) as caught:
        Thing(source="x", size="secret")  # type: ignore[arg-type]
    assert "secret" not in str(caught.value)


def test_a_field_may_have_any_name() -> None:
    class Named(Event):
        name: str
        id: int
        version: str
        kind: str
        model_name: str

    assert Named(name="a", id=1, version="b", kind="c", model_name="d").name == "a"


def test_a_forward_reference_is_looked_at_when_first_used() -> None:
    types = EventTypes("a", [Later])
    event = Later(what=Thing(source="x", size=1))
    assert types.decode("a.Later", types.encode(event).value) == event


def test_a_name_that_is_never_defined_is_an_error_at_first_use() -> None:
    class Broken(Event):
        what: "Nowhere"  # type: ignore[name-defined]  # noqa: F821

    with pytest.raises(DeclarationError, match=r"a\.Broken: annotation 'Nowhere' is not defined; define it"):
        EventTypes("a", [Broken])


def _upcaster(old: dict[str, Any]) -> dict[str, Any]:
    return old


@pytest.mark.parametrize(
    ("bases", "keywords", "body", "message"),
    [
        ((Start, End), {}, {}, "A: it cannot be end and start at once; derive it from one kind"),
        (
            (Event,),
            {"deadline": "1d"},
            {},
            "A: deadline= is no keyword of a class of kind event; it has name=, version=",
        ),
        ((Start,), {"final": True}, {}, "A: final= is no keyword of a class of kind start; it has .*, deadline="),
        (
            (End,),
            {"finale": True},
            {},
            "A: finale= is no keyword of a class of kind end; it has .*, final=, compensate=",
        ),
        ((Event,), {"version": 0}, {}, "A: version=0 is not a whole number from 1 on"),
        ((Event,), {"version": True}, {}, "A: version=True is not a whole number"),
        ((Event,), {"name": "Ordre passé"}, {}, "A: 'Ordre passé' cannot be a name on the wire; give name= of ASCII"),
        ((Event,), {"name": "a.B"}, {}, "A: 'a.B' cannot be a name on the wire"),
        ((Start,), {"deadline": "soon"}, {}, "A: deadline: duration 'soon' cannot be read; write"),
        ((Start,), {"deadline": 0}, {}, "A: a deadline of nothing would fail every run; leave it out"),
        ((Event,), {"version": 2}, {}, r"A: version 2 has no upcaster from version 1, .* add a static method with @up"),
        ((Event,), {"version": 3}, {"up": staticmethod(upcast(1)(_upcaster))}, "version 3 has no upcaster from versi"),
        (
            (Event,),
            {},
            {"up": staticmethod(upcast(1)(lambda old: old))},
            "'up' starts from version 1, but the class is",
        ),
        (
            (Event,),
            {"version": 2},
            {"up": staticmethod(upcast(1)(lambda o: o)), "up2": staticmethod(upcast(1)(lambda o: o))},
            "A: 'up' and 'up2' both upcast from version 1; keep one",
        ),
        (
            (Event,),
            {},
            {"model_config": ConfigDict(extra="allow")},
            "A: events are immutable .* leave frozen and extra",
        ),
        ((Event,), {}, {"model_config": ConfigDict(frozen=False)}, "A: events are immutable"),
    ],
)
def test_a_wrong_declaration_says_the_cure(
    bases: tuple[type, ...], keywords: dict[str, Any], body: dict[str, Any], message: str
) -> None:
    with pytest.raises(DeclarationError, match=message):
        type(Event)("A", bases, {"__module__": __name__, **body}, **keywords)


def test_upcasters_are_found_either_way_round_and_in_bases() -> None:
    class Base(Event, abstract=True):
        @staticmethod
        @upcast(1)
        def first(old: dict[str, Any]) -> dict[str, Any]:
            return old

    class Grown(Base, version=3):
        @upcast(2)
        @staticmethod
        def second(old: dict[str, Any]) -> dict[str, Any]:
            return old

    assert list(event_info(Grown).upcasters) == [1, 2]


def test_only_classes_of_events_have_info() -> None:
    with pytest.raises(DeclarationError, match="is not a class of events; derive it from Event"):
        event_info(int)  # type: ignore[arg-type]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the syntax of PEP 695 came with Python 3.12")
def test_type_statements_are_seen_through() -> None:
    space: dict[str, Any] = {"Event": Event}
    exec(
        "type Names = list[str]\ntype Pairs[T] = dict[str, T]\nclass A(Event):\n    a: Names\n    b: Pairs[int]", space
    )
    types = EventTypes("a", [space["A"]])
    event = space["A"](a=["x"], b={"y": 1})
    assert types.decode("a.A", types.encode(event).value) == event
