"""A service that only reads an event declares what it needs of it; whoever writes the event is held to that, and to no more."""

import json
from decimal import Decimal
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, ConfigDict
from tests.schemas.registry.table import Table

from farandole.schemas import (
    End,
    Event,
    EventTypes,
    IncompatibleSchema,
    Marked,
    PlainValues,
    SchemaText,
    Secret,
    Signal,
    Start,
    acquaint,
    register,
    upcast,
)
from farandole.schemas.catalogue import PREFIX, Entry, read_entry, retire_readers, texts_in

NAME = "shop.RefundProposed"


def an_event(kind: type[Event] = Event, *, version: int = 1, **fields: Any) -> type[Event]:
    """A class of the event, made by one team; fields as annotation, or as annotation and default."""
    steps = {f"from{v}": staticmethod(upcast(v)(lambda old: old)) for v in range(1, version)}
    annotations = {name: f[0] if isinstance(f, tuple) else f for name, f in fields.items()}
    defaults = {name: f[1] for name, f in fields.items() if isinstance(f, tuple)}
    body = {"__module__": __name__, "__annotations__": annotations, **defaults, **steps}
    made: type[Event] = type(kind)("RefundProposed", (kind,), body, version=version)
    return made


def writer(**fields: Any) -> EventTypes:
    return EventTypes("shop", [an_event(**fields)], service="support", binds=True)


def reader(service: str = "quality", *, binds: bool = True, **fields: Any) -> EventTypes:
    cls = an_event(**fields)
    return EventTypes("shop", [cls], reads=[cls], service=service, binds=binds)


def entries(table: Table) -> list[Entry]:
    found = [read_entry(k, v) for k, v in table.content.items() if k.startswith(PREFIX + NAME.encode())]
    return sorted(found, key=lambda entry: entry.order)


async def test_a_reader_with_fewer_fields_may_come_after_the_writer() -> None:
    table = Table()
    full = writer(order=str, customer=str, amount=Decimal)
    await register(table, full)
    fewer = reader(order=str)
    await register(table, fewer)
    (cls,) = full
    value = full.encode(cls(order="7", customer="ann", amount=Decimal(5))).value
    assert fewer.decode(NAME, value).model_dump() == {"order": "7"}
    assert [entry.reads for entry in entries(table)] == ["", "quality"]


async def test_or_before_it() -> None:
    table = Table()
    await register(table, reader(order=str))
    await register(table, writer(order=str, customer=str))
    assert [entry.reads for entry in entries(table)] == ["quality", ""]


async def test_a_reader_of_the_same_fields_never_replaces_the_writer() -> None:
    table = Table()
    await register(table, writer(order=str))
    before = dict(table.content)
    await register(table, reader(order=str))
    assert before.items() < table.content.items()
    assert [(entry.reads, entry.order) for entry in entries(table)] == [("", 1), ("quality", 2)]
    assert len({entry.fingerprint for entry in entries(table)}) == 1


async def test_a_reader_reads_all_that_was_ever_written() -> None:
    table = Table()
    await register(table, writer(order=str))
    await register(table, writer(order=str, customer=(str, "")))
    with pytest.raises(
        IncompatibleSchema, match=r"'customer' of shop\.RefundProposed, which is only read here,.*default"
    ):
        await register(table, reader(customer=str))
    await register(table, reader(customer=(str, "")))


async def test_what_bytes_mean_is_the_same_to_both() -> None:
    for first, second in ((writer, reader), (reader, writer)):
        table = Table()
        await register(table, first(amount=Decimal))
        with pytest.raises(IncompatibleSchema, match="mean"):
            await register(table, second(amount=str))


async def test_a_field_that_a_reader_needs_cannot_be_taken_out() -> None:
    table = Table()
    await register(table, writer(order=str, customer=(str, "")))
    await register(table, reader("billing", order=str))
    await register(table, reader("quality", customer=(str, ""), order=(str, "")))
    await register(table, writer(order=(str, ""), customer=(str, "")))
    with pytest.raises(IncompatibleSchema) as refused:
        await register(table, writer(customer=(str, "")))
    said = str(refused.value)
    assert "field 'order' of shop.RefundProposed is not there, and service 'billing' needs it" in said
    assert "keep the field" in said and "retire what takes it there" in said
    assert "quality" not in said


async def test_one_that_no_reader_needs_can() -> None:
    table = Table()
    await register(table, reader(order=str))
    await register(table, writer(order=str, customer=(str, "")))
    assert await register(table, writer(order=str)) == (NAME,)


async def test_a_renamed_field_is_told_to_whoever_renames_it() -> None:
    table = Table()
    await register(table, reader(order=str))
    with pytest.raises(IncompatibleSchema, match=r"field 'order' .* service 'quality' needs it"):
        await register(table, writer(number=str))
    await register(table, writer(order=str))
    with pytest.raises(IncompatibleSchema, match=r"field 'order' .* service 'quality' needs it"):
        await register(table, writer(number=(str, "")))


async def test_a_class_may_be_renamed_on_either_side() -> None:
    class Wanted(Event, name="RefundProposed"):
        order: str

    table = Table()
    await register(table, writer(order=str, customer=str))
    await register(table, EventTypes("shop", [Wanted], reads=[Wanted], service="quality", binds=True))
    assert {entry.name for entry in entries(table)} == {NAME}


async def test_a_model_of_another_name_is_told_with_the_cure() -> None:
    class Money(BaseModel):
        cents: int

    class Sum(BaseModel):
        cents: int

    class Titled(BaseModel):
        model_config = ConfigDict(title="Money")
        cents: int

    table = Table()
    await register(table, writer(amount=Money))
    with pytest.raises(IncompatibleSchema, match=r"recorded as the model .*Money .*title"):
        await register(table, reader(amount=Sum))
    await register(table, reader(amount=Titled))


async def test_another_type_is_refused_on_either_side() -> None:
    table = Table()
    await register(table, writer(order=int))
    with pytest.raises(IncompatibleSchema, match=r"'order' .* only read here, is recorded as long and is string here"):
        await register(table, reader(order=str))
    table = Table()
    await register(table, reader(order=str))
    with pytest.raises(IncompatibleSchema, match=r"'order' .* is long, and service 'quality' reads string there"):
        await register(table, writer(order=int))


async def test_another_version_binds_nobody_of_this_one() -> None:
    table = Table()
    await register(table, reader(order=str))
    await register(table, writer(version=2, number=int))
    await register(table, reader("billing", version=2, number=int))


async def test_of_each_service_the_newest_class_counts() -> None:
    table = Table()
    await register(table, writer(order=str, customer=(str, "")))
    await register(table, reader(order=str, customer=str))
    with pytest.raises(IncompatibleSchema, match=r"'customer' .* service 'quality'"):
        await register(table, writer(order=str))
    await register(table, reader(order=str))
    await register(table, writer(order=str))


async def test_after_a_rollback_it_is_the_one_that_came_back() -> None:
    table = Table()
    before = {"order": str, "customer": str}
    await register(table, writer(order=str, customer=(str, "")))
    await register(table, reader(**before))
    await register(table, reader(order=str))
    assert await register(table, reader(**before)) == ()
    with pytest.raises(IncompatibleSchema, match=r"'customer' .* service 'quality'"):
        await register(table, writer(order=str))


async def test_a_service_that_starts_again_changes_nothing() -> None:
    table = Table()
    await register(table, reader(order=str))
    before = dict(table.content)
    assert await register(table, reader(order=str)) == ()
    assert table.content == before


async def test_a_retired_reader_binds_nobody_until_it_reads_again() -> None:
    table = Table()
    await register(table, writer(order=(str, "")))
    await register(table, reader(order=str))
    await retire_readers(table, "billing", lambda name: False)
    with pytest.raises(IncompatibleSchema):
        await register(table, writer())
    await retire_readers(table, "quality", lambda name: False)
    await register(table, writer())
    await register(table, reader(order=str))
    with pytest.raises(IncompatibleSchema, match="service 'quality'"):
        await register(table, writer(n=(int, 0)))


async def test_a_client_is_told_of_its_mistakes_but_binds_nobody() -> None:
    table = Table()
    await register(table, writer(order=(str, "")))
    with pytest.raises(IncompatibleSchema, match="only read here"):
        await register(table, reader("web", binds=False, customer=str))
    await register(table, reader("web", binds=False, order=str))
    await register(table, writer())
    assert await register(table, reader("web", binds=False, order=str)) == ()


async def test_whoever_comes_to_write_what_it_read_is_heeded_as_a_writer() -> None:
    table = Table()
    cls = an_event(order=str)
    await register(table, EventTypes("shop", [cls], reads=[cls], service="quality", binds=True))
    await register(table, EventTypes("shop", [cls], service="quality", binds=True))
    assert [(entry.reads, entry.retired) for entry in entries(table)] == [("quality", True), ("", False)]


async def test_two_that_could_not_see_each_other_cannot_both_stay() -> None:
    class Meanwhile(Table):
        async def load(self) -> Any:
            found = await super().load()
            if not self.content:
                await register(self.other, reader(order=str))
                self.content |= self.other.content
            return found

        other = Table()

    table = Meanwhile()
    with pytest.raises(IncompatibleSchema, match="service 'quality'"):
        await register(table, writer(n=int))
    assert [entry.reads for entry in entries(table)] == ["quality"]


async def test_an_entry_without_reads_is_a_writers() -> None:
    table = Table()
    await register(table, writer(order=str))
    (value,) = [value for key, value in table.content.items() if NAME.encode() in key]
    assert set(json.loads(value)) == {"fingerprint", "order", "schema"}


async def test_values_are_never_read_by_what_a_reader_declares() -> None:
    table = Table()
    mine = reader(order=str)
    await register(table, mine)
    (cls,) = mine
    value = mine.encode(cls(order="7")).value
    values = PlainValues()
    values.learn(table.content)
    assert not values.knows(value)
    assert mine.schema_of(cls) not in texts_in(table.content)
    others = writer(order=str, n=(int, 0))
    await register(table, others)
    assert not others.knows(mine.schema_of(cls))


async def test_its_marks_count_even_once_it_is_retired() -> None:
    table = Table()
    await register(table, writer(order=str))
    await register(table, reader(order=Annotated[str, Secret]))
    await retire_readers(table, "quality", lambda name: False)
    assert (NAME, "order") in Marked(entry.schema for entry in entries(table)).fields(Secret)


async def test_a_schema_registry_is_told_of_what_is_written_alone() -> None:
    table, told = Table(), list[SchemaText]()

    async def admit(schemas: Any) -> None:
        told.extend(schema for schema in schemas if schema.name == NAME)

    for _ in range(2):
        await register(table, reader(order=str), admit=admit)
    assert told == []
    full = writer(order=str, customer=str)
    await register(table, full, admit=admit)
    assert {schema.fingerprint for schema in told} == set(full.own_schemas())


async def test_what_is_written_after_all_is_registered_first() -> None:
    table = Table()
    mine = reader(order=str)
    await register(table, mine)
    (cls,) = mine
    await acquaint(table, mine, cls, reads=True)
    assert [entry.reads for entry in entries(table)] == ["quality"]
    await acquaint(table, mine, cls)
    assert [(entry.reads, entry.retired) for entry in entries(table)] == [("quality", False), ("", False)]
    assert not mine.only_reads(cls)


async def test_it_is_not_written_if_others_could_not_read_it() -> None:
    table = Table()
    await register(table, writer(order=str, customer=str))
    mine = reader(order=str)
    await register(table, mine)
    (cls,) = mine
    before = dict(table.content)
    with pytest.raises(IncompatibleSchema, match="customer"):
        await acquaint(table, mine, cls)
    assert table.content == before and mine.only_reads(cls)


@pytest.mark.parametrize(("kind", "read"), [(Event, True), (End, True), (Start, False), (Signal, False)])
async def test_what_clients_write_is_never_only_read(kind: type[Event], read: bool) -> None:
    table = Table()
    types = EventTypes("shop", [], service="quality", binds=True)
    cls = an_event(kind, order=str)
    await acquaint(table, types, cls, reads=True)
    assert types.only_reads(cls) is read
    assert [bool(entry.reads) for entry in entries(table)] == [read]
