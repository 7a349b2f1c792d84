"""What events, sub-steps and JSON of anybody's say that was used: found wherever it stands, and never more than can be."""

from decimal import Decimal
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field, TypeAdapter
from tests.schemas.test_marks import Memory

from farandole.schemas import DeclarationError, Event, EventTypes, PlainValues, Usage, Used, register
from farandole.schemas.catalogue import read_entry
from farandole.schemas.usage import Usages, dollars, picodollars, says_usage, usage_in, usage_in_json


class Part(BaseModel):
    usage: Usage | None = None


class Translated(Event):
    text: str
    part: Part = Part()
    parts: dict[str, Part] = Field(default_factory=dict)
    more: list[Usage] = Field(default_factory=list)


class Replied(Event):
    who: Annotated[str, Used.agent]
    tokens: Annotated[int, Used.input_tokens]
    price: Annotated[Decimal | None, Used.cost] = None


class Told(Event):
    tokens: Annotated[int, Used.input_tokens]
    counted: Annotated[bool, Used.elsewhere] = False


class Plain(Event):
    usage: dict[str, str] = Field(default_factory=dict)


ALL = Translated(
    text="x",
    part=Part(usage=Usage(model="a", cost=Decimal("0.0000000375"))),
    parts={"b": Part(usage=Usage(model="b", calls=3, input_tokens=7))},
    more=[Usage(model="c"), Usage(model="d", agent="ann")],
)


def plainly(*events: Event) -> tuple[Usages, list[dict[str, Any]]]:
    """Events as they are read without their classes."""
    types, table = EventTypes("a", [Translated, Replied, Told, Plain]), Memory()
    usages, values = Usages(), PlainValues()
    import asyncio

    asyncio.run(register(table, types))
    values.learn(table.all)
    for key, value in table.all.items():
        if key.startswith(b"schema/a."):
            usages.learn(read_entry(key, value).schema)
    return usages, [values.read(types.encode(event).value) for event in events]


def test_it_is_found_wherever_it_stands_with_the_classes_and_without() -> None:
    usages, (value,) = plainly(ALL)
    for found in (usage_in(ALL), usages.of_event(value), usage_in_json(ALL.model_dump_json())):
        assert [used.model for used in found] == ["a", "b", "c", "d"]
        assert found[0].cost == Decimal("0.0000000375")
        assert (found[1].calls, found[1].input_tokens, found[3].agent) == (3, 7, "ann")


def test_fields_of_an_events_own_say_it_by_their_marks() -> None:
    event = Replied(who="helper", tokens=5, price=Decimal("0.1"))
    usages, (value,) = plainly(event)
    assert usages.of_event(value) == usage_in(event) == (Usage(agent="helper", input_tokens=5, cost=Decimal("0.1")),)


def test_what_is_counted_elsewhere_counts_for_nothing() -> None:
    told, untold = Told(tokens=5, counted=True), Told(tokens=5)
    usages, (value, other) = plainly(told, untold)
    assert usages.of_event(value) == usage_in(told) == ()
    assert usages.of_event(other) == usage_in(untold) == (Usage(input_tokens=5),)


def test_what_says_nothing_of_the_kind_counts_for_nothing() -> None:
    usages, (value,) = plainly(Plain(usage={"model": "a"}))
    assert usages.of_event(value) == ()
    assert not says_usage(Plain)
    assert usage_in_json('{"usage": {"model": "a"}}') == ()
    assert usage_in_json('"farandole.usage"') == usage_in_json('{"farandole.usage') == ()


@pytest.mark.parametrize(
    "said", ['{"cost": "1e999999999"}', '{"cost": "NaN"}', '{"cost": [1]}', '{"calls": -5}', '{"calls": 1e400, "model": 7}', '{"input_tokens": 99999999999999999999}']
)  # fmt: skip
def test_whatever_somebody_wrote_is_a_number_that_can_be_summed_up(said: str) -> None:
    (found,) = usage_in_json(said.replace("{", '{"counts_as": "farandole.usage", ', 1))
    assert 0 <= found.calls <= 2**40
    assert 0 <= found.input_tokens <= 2**40
    assert -(10**17) <= (picodollars(found.cost) or 0) <= 10**17


def test_a_sub_step_reads_back_what_it_returned() -> None:
    adapter: TypeAdapter[tuple[str, Usage]] = TypeAdapter(tuple[str, Usage])
    used = Usage(model="a", cost=Decimal("0.10"))
    assert adapter.validate_json(adapter.dump_json(("x", used))) == ("x", used)


@pytest.mark.parametrize("amount", ["0", "0.000000000001", "12.5", "-3", "99999.999999999999"])
def test_amounts_are_exact(amount: str) -> None:
    assert dollars(picodollars(Decimal(amount)) or 0) == Decimal(amount)


def test_a_mark_on_what_is_no_number_or_name_is_refused() -> None:
    with pytest.raises(DeclarationError, match="one number or name"):
        type("Wrong", (Event,), {"__annotations__": {"x": Annotated[list[int], Used.cost]}, "__module__": __name__})
