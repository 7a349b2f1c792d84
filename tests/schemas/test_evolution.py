"""A change that recorded events or running workers cannot follow is refused, with the field and the cure."""

import re
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, get_args

import pytest
from pydantic import BaseModel, Field
from tests.schemas.everything import Left, Right

from farandole.schemas import Event, EventTypes, IncompatibleSchema, Mode, UndecodableValue, upcast
from farandole.schemas.evolution import Earlier, check_evolution


def schema_of(version: int = 1, **fields: Any) -> dict[str, Any]:
    """The schema of an event whose fields are given as a type, or a type and a default."""
    annotations = {name: given[0] if isinstance(given, tuple) else given for name, given in fields.items()}
    defaults = {name: given[1] for name, given in fields.items() if isinstance(given, tuple)}
    steps = {f"from{v}": staticmethod(upcast(v)(lambda old: old)) for v in range(1, version)}
    body = {"__module__": __name__, "__annotations__": annotations, **defaults, **steps}
    cls: type[Event] = type(Event)("PaymentTaken", (Event,), body, version=version)
    ((_, _, schema),) = EventTypes("orders", [cls]).schemas()
    return schema


def enum_of(*symbols: str) -> Any:
    return Enum("Colour", {s: s for s in symbols})


def model_of(name: str = "Part", **fields: Any) -> Any:
    return type(name, (BaseModel,), {"__annotations__": fields, "__module__": __name__})


def money(digits: int, places: int) -> Any:
    return Annotated[Decimal, Field(max_digits=digits, decimal_places=places)]


BACKWARD, FORWARD = "backward", "forward"
CHANGES: list[tuple[str, dict[str, Any], dict[str, Any], set[str]]] = [
    # what changed, before, after, which ways are refused
    ("nothing", {"a": int}, {"a": int}, set()),
    ("a new field with a default", {"a": int}, {"a": int, "b": (int, 0)}, set()),
    ("a new optional field", {"a": int}, {"a": int, "b": (int | None, None)}, set()),
    ("a new field made by list", {}, {"b": (list[int], Field(default_factory=list))}, set()),
    ("a new field made anew each time", {}, {"b": (int, Field(default_factory=lambda: 1))}, {BACKWARD}),
    ("a new field without a default", {"a": int}, {"a": int, "b": int}, {BACKWARD}),
    ("a new optional field without a default", {"a": int}, {"a": int, "b": int | None}, {BACKWARD}),
    ("a field with a default is gone", {"a": int, "b": (int, 0)}, {"a": int}, set()),
    ("a field without a default is gone", {"a": int, "b": int}, {"a": int}, {FORWARD}),
    ("a renamed field", {"a": int}, {"b": int}, {BACKWARD, FORWARD}),
    ("another order", {"a": int, "b": str}, {"b": str, "a": int}, set()),
    ("int to float", {"a": int}, {"a": float}, {FORWARD}),
    ("float to int", {"a": float}, {"a": int}, {BACKWARD}),
    ("int to str", {"a": int}, {"a": str}, {BACKWARD, FORWARD}),
    ("str to bytes", {"a": str}, {"a": bytes}, {BACKWARD, FORWARD}),
    ("str to Decimal", {"a": str}, {"a": Decimal}, {BACKWARD, FORWARD}),
    ("int to datetime", {"a": int}, {"a": datetime}, {BACKWARD, FORWARD}),
    ("to optional", {"a": int}, {"a": (int | None, None)}, {FORWARD}),
    ("from optional", {"a": int | None}, {"a": int}, {BACKWARD}),
    ("another default", {"a": (int | None, None)}, {"a": (int | None, 5)}, set()),
    ("more digits", {"a": money(10, 2)}, {"a": money(12, 2)}, {FORWARD}),
    ("other decimal places", {"a": money(10, 2)}, {"a": money(10, 3)}, {BACKWARD, FORWARD}),
    ("a new symbol", {"a": enum_of("X")}, {"a": enum_of("X", "Y")}, {FORWARD}),
    ("a lost symbol", {"a": enum_of("X", "Y")}, {"a": enum_of("X")}, {BACKWARD}),
    ("symbols in another order", {"a": enum_of("X", "Y")}, {"a": enum_of("Y", "X")}, set()),
    ("a new literal", {"a": Literal["x"]}, {"a": Literal["x", "y"]}, {FORWARD}),
    ("a lost literal", {"a": Literal["x", "y"]}, {"a": Literal["x"]}, {BACKWARD}),
    ("a literal to text", {"a": Literal["x"]}, {"a": str}, {FORWARD}),
    ("text to a literal", {"a": str}, {"a": Literal["x"]}, {BACKWARD}),
    ("a new branch", {"a": Left | None}, {"a": Left | Right | None}, {FORWARD}),
    ("a lost branch", {"a": Left | Right}, {"a": Left}, {BACKWARD}),
    ("branches in another order", {"a": Left | Right}, {"a": Right | Left}, set()),
    ("another model", {"a": Left}, {"a": Right}, {BACKWARD, FORWARD}),
    ("a nested new field", {"a": model_of(x=int)}, {"a": model_of(x=int, y=int)}, {BACKWARD}),
    ("a new field in a list", {"a": list[model_of(x=int)]}, {"a": list[model_of(x=int, y=int)]}, {BACKWARD}),
    ("a branch's new field", {"a": model_of(x=int) | None}, {"a": model_of(x=int, y=int) | None}, {BACKWARD}),
    ("a map's values", {"a": dict[str, int]}, {"a": dict[str, str]}, {BACKWARD, FORWARD}),
    ("list to set", {"a": list[int]}, {"a": set[int]}, set()),
    ("a longer tuple", {"a": tuple[int, int]}, {"a": tuple[int, int, int]}, {BACKWARD, FORWARD}),
    ("a tuple to a list", {"a": tuple[int, int]}, {"a": list[int]}, {FORWARD}),
]


def refused(mode: Mode, before: dict[str, Any], after: dict[str, Any]) -> bool:
    try:
        check_evolution(after, [Earlier(1, before)], mode)
    except IncompatibleSchema:
        return True
    return False


@pytest.mark.parametrize(("before", "after", "ways"), [c[1:] for c in CHANGES], ids=[c[0] for c in CHANGES])
def test_a_change_is_judged_each_way(before: dict[str, Any], after: dict[str, Any], ways: set[str]) -> None:
    old, new = schema_of(**before), schema_of(**after)
    # Two schemas of one fingerprint and other logical types can never both be of one version.
    same_bytes = {"str to Decimal", "int to datetime", "other decimal places"}
    clash = any(c[0] in same_bytes and c[1] is before for c in CHANGES)
    assert refused("backward", old, new) == (BACKWARD in ways or clash)
    assert refused("forward", old, new) == (FORWARD in ways or clash)
    assert refused("rolling", old, new) == bool(ways)
    assert refused("full_transitive", old, new) == bool(ways)
    assert refused("none", old, new) == clash


@pytest.mark.parametrize(("before", "after", "ways"), [c[1:] for c in CHANGES], ids=[c[0] for c in CHANGES])
def test_what_is_let_through_can_be_read(before: dict[str, Any], after: dict[str, Any], ways: set[str]) -> None:
    if BACKWARD in ways:
        return
    values: dict[Any, Any] = {int: 1, str: "x", float: 1.0, Decimal: Decimal(1)}

    def cls_of(fields: dict[str, Any]) -> type[Event]:
        annotations = {n: g[0] if isinstance(g, tuple) else g for n, g in fields.items()}
        defaults = {n: g[1] for n, g in fields.items() if isinstance(g, tuple)}
        body = {"__module__": __name__, "__annotations__": annotations, **defaults}
        made: type[Event] = type(Event)("PaymentTaken", (Event,), body)
        return made

    old, new = EventTypes("orders", [cls_of(before)]), EventTypes("orders", [cls_of(after)])
    for mark, text in old.own_schemas().items():
        new.learn(mark, text)
    (cls,) = old
    fields = {}
    for name, info in cls.model_fields.items():
        kind: Any = info.annotation
        if isinstance(kind, type) and issubclass(kind, Enum):
            fields[name] = list(kind)[-1]
        elif kind in values:
            fields[name] = values[kind]
        elif not info.is_required():
            continue
        else:
            return
    new.decode("orders.PaymentTaken", old.encode(cls(**fields)).value)


@pytest.mark.parametrize(
    ("before", "after", "mode", "message"),
    [
        (
            {"a": int},
            {"a": int, "currency": str},
            "rolling",
            "field 'currency' of orders.PaymentTaken is new and has no default; give it a default, or raise version= to 2 "
            "and add an upcaster from 1",
        ),
        (
            {"part": list[model_of(x=int)]},
            {"part": list[model_of(x=int, y=str)]},
            "backward",
            "field 'part[].y' of orders.PaymentTaken is new and has no default; give it a default, or raise version= to 2 "
            "and add an upcaster from 1",
        ),
        (
            {"a": enum_of("X", "Y")},
            {"a": enum_of("X")},
            "backward",
            "field 'a' of orders.PaymentTaken lost the symbol Y, which recorded events may have; keep it, or raise "
            "version= to 2 and add an upcaster from 1",
        ),
        (
            {"a": Literal["x", "y"]},
            {"a": Literal["x"]},
            "backward",
            "field 'a' of orders.PaymentTaken lost the value 'y', which recorded events may have; keep it, or raise "
            "version= to 2 and add an upcaster from 1",
        ),
        (
            {"a": int},
            {"a": str},
            "backward",
            "field 'a' of orders.PaymentTaken was long and is string; keep its type, or raise version= to 2 and add an "
            "upcaster from 1",
        ),
        (
            {"a": int | None},
            {"a": int},
            "backward",
            "field 'a' of orders.PaymentTaken is long and cannot take null, which recorded events may have; keep that in "
            "its union, or raise version= to 2 and add an upcaster from 1",
        ),
        (
            {"a": model_of("Old", x=int)},
            {"a": model_of("New", x=int)},
            "backward",
            "field 'a' of orders.PaymentTaken was of the model Old and is of New; keep the name (a title in its "
            "model_config keeps it for a renamed class), or raise version= to 2 and add an upcaster from 1",
        ),
        (
            {"a": int, "b": int},
            {"a": int},
            "forward",
            "field 'b' of orders.PaymentTaken is gone, and workers that still run need it, for it has no default there; "
            "give it a default in one deployment and take it out in the next, or raise version= to 2 and add an upcaster "
            "from 1 (workers that know only the old version park these steps until they are deployed)",
        ),
        (
            {"a": enum_of("X")},
            {"a": enum_of("X", "Y")},
            "rolling",
            "field 'a' of orders.PaymentTaken has the new symbol Y, which workers that still run cannot read; raise "
            "version= to 2 and add an upcaster from 1 (workers that know only the old version park these steps until they "
            "are deployed)",
        ),
        (
            {"a": Left},
            {"a": Left | Right},
            "rolling",
            "field 'a' of orders.PaymentTaken may now be Right, which workers that still run cannot read; raise version= "
            "to 2 and add an upcaster from 1 (workers that know only the old version park these steps until they are "
            "deployed)",
        ),
        (
            {"a": int},
            {"a": datetime},
            "none",
            "orders.PaymentTaken: the meaning of its bytes changed, but not their layout, so old and new could not be told "
            "apart; raise version= to 2 and add an upcaster from 1",
        ),
    ],
)
def test_a_refusal_names_the_field_and_the_cure(
    before: dict[str, Any], after: dict[str, Any], mode: Mode, message: str
) -> None:
    with pytest.raises(IncompatibleSchema, match=f"^{re.escape(message)}$"):
        check_evolution(schema_of(**after), [Earlier(1, schema_of(**before))], mode)


A_THEN_AB_THEN_B = [
    Earlier(1, schema_of(a=int)),
    Earlier(2, schema_of(a=(int, 0), b=(int, 0))),
]


@pytest.mark.parametrize(
    ("mode", "is_refused"),
    [
        ("rolling", False),
        ("backward", False),
        ("backward_transitive", False),
        ("forward", False),
        ("forward_transitive", True),
        ("full", False),
        ("full_transitive", True),
        ("none", False),
    ],
)
def test_a_field_leaves_in_two_deployments(mode: Mode, is_refused: bool) -> None:
    try:
        check_evolution(schema_of(b=(int, 0)), A_THEN_AB_THEN_B, mode)
    except IncompatibleSchema:
        assert is_refused
    else:
        assert not is_refused


def test_the_log_keeps_all_events_so_every_schema_must_stay_readable() -> None:
    earlier = [Earlier(1, schema_of(a=int)), Earlier(2, schema_of(a=int, b=(int, 0)))]
    new = schema_of(a=int, b=int)
    check_evolution(new, earlier, "backward")
    for mode in ("rolling", "backward_transitive", "full_transitive"):
        with pytest.raises(IncompatibleSchema, match=r"'b' of orders\.PaymentTaken is new and has no default"):
            check_evolution(new, earlier, mode)


def test_schemas_that_came_at_once_are_all_the_newest() -> None:
    earlier = [Earlier(1, schema_of(a=int)), Earlier(1, schema_of(a=int, b=int))]
    with pytest.raises(IncompatibleSchema, match="field 'b'"):
        check_evolution(schema_of(a=int), earlier, "forward")


@pytest.mark.parametrize("mode", get_args(Mode))
def test_a_raised_version_may_change_everything(mode: Mode) -> None:
    check_evolution(schema_of(2, z=bytes), [Earlier(1, schema_of(a=int))], mode)


def test_code_of_the_old_version_is_told_to_be_deployed() -> None:
    old = EventTypes("orders", [type(Event)("A", (Event,), {"__module__": __name__})])
    body = {"__module__": __name__, "up": staticmethod(upcast(1)(lambda o: o))}
    cls = type(Event)("A", (Event,), body, version=2)
    new = EventTypes("orders", [cls])
    for mark, text in new.own_schemas().items():
        old.learn(mark, text)
    with pytest.raises(UndecodableValue, match="deploy the newer code here, then retry"):
        old.decode("orders.A", new.encode(cls()).value)


def test_types_that_contain_themselves_are_compared_once() -> None:
    class Node(BaseModel):
        value: int
        left: "Node | None" = None
        right: "Node | None" = None

    class Wider(BaseModel, title="Node"):
        value: int
        extra: int
        left: "Wider | None" = None
        right: "Wider | None" = None

    old, new = schema_of(root=Node), schema_of(root=Wider)
    check_evolution(old, [Earlier(1, old)], "full_transitive")
    with pytest.raises(IncompatibleSchema) as e:
        check_evolution(new, [Earlier(1, old)], "backward")
    assert len(str(e.value).splitlines()) == 1


def test_every_problem_is_told_at_once() -> None:
    with pytest.raises(IncompatibleSchema) as e:
        check_evolution(schema_of(a=str, c=int), [Earlier(1, schema_of(a=int))], "backward")
    assert [line.split("'")[1] for line in str(e.value).splitlines()] == ["a", "c"]


def test_what_a_later_release_says_in_a_schema_of_its_own_changes_no_meaning() -> None:
    ours, told = schema_of(a=int), {"farandole.of_a_later_release": "signal"}
    theirs = {**ours, **told, "fields": [{**field, **told} for field in ours["fields"]]}
    check_evolution(ours, [Earlier(1, theirs)], "full_transitive")
    check_evolution(theirs, [Earlier(1, ours)], "full_transitive")
