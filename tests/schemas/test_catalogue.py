"""The catalogue tells every service, and other languages, how each event was ever written."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest
from tests.schemas.golden_files import same_as_golden

from farandole.schemas import (
    Event,
    EventTypes,
    IncompatibleSchema,
    UndecodableValue,
    refresh,
    register,
    upcast,
)


class MemoryTable:
    """A table as event stores have it; it may run something once, between being loaded and being written."""

    def __init__(self) -> None:
        self.data: dict[bytes, bytes] = {}
        self.puts = 0
        self.meanwhile: Any = None

    async def put(self, key: bytes, value: bytes | None) -> None:
        self.puts += 1
        if value is None:
            self.data.pop(key, None)
        else:
            self.data[key] = value

    async def load(self) -> Mapping[bytes, bytes]:
        await asyncio.sleep(0)
        found = dict(self.data)
        if self.meanwhile is not None:
            task, self.meanwhile = self.meanwhile, None
            await task()
        return found

    def events(self) -> list[str]:
        """Name and version of each entry that is none of the framework's own."""
        keys = [key.decode().split("/") for key in self.data]
        return sorted(f"{name} {version}" for _, name, version, _ in keys if not name.startswith("farandole."))


def types_of(*, version: int = 1, prefix: str = "orders", **fields: Any) -> EventTypes:
    steps = {f"from{v}": staticmethod(upcast(v)(lambda old: old)) for v in range(1, version)}
    body = {"__module__": __name__, "__annotations__": fields, **steps}
    cls: type[Event] = type(Event)("PaymentTaken", (Event,), body, version=version)
    return EventTypes(prefix, [cls])


async def test_new_schemas_are_put_and_named() -> None:
    table = MemoryTable()
    assert await register(table, types_of(a=int)) == ("orders.PaymentTaken",)
    assert table.events() == ["orders.PaymentTaken 1"]


async def test_what_is_there_already_is_not_put_again() -> None:
    table = MemoryTable()
    await register(table, types_of(a=int))
    table.puts = 0
    assert await register(table, types_of(a=int)) == ()
    assert table.puts == 0


async def test_the_layout_is_documented_and_stays() -> None:
    table = MemoryTable()
    types = types_of(a=int)
    await register(table, types)
    entries = {key.decode(): json.loads(value) for key, value in sorted(table.data.items())}
    same_as_golden("catalogue.json", entries)
    (mine,) = [entry for key, entry in entries.items() if key.startswith("schema/orders.PaymentTaken/1/")]
    assert bytes.fromhex(mine["fingerprint"]) in types.own_schemas()


async def test_earlier_schemas_are_learned() -> None:
    table = MemoryTable()
    old, new = types_of(a=int, b=int), types_of(a=int)
    await register(table, old)
    (cls,) = old
    value = old.encode(cls(a=1, b=2)).value
    await register(table, new, mode="backward")
    assert new.decode("orders.PaymentTaken", value).model_dump() == {"a": 1}


async def test_schemas_registered_since_are_learned_by_a_refresh() -> None:
    table = MemoryTable()
    mine, theirs = types_of(a=int), types_of(a=int, b=int | None)
    await register(table, mine)
    await register(table, theirs, mode="none")
    (cls,) = theirs
    encoded = theirs.encode(cls(a=1, b=None))
    assert not mine.knows(encoded.schema)
    await refresh(table, mine)
    assert mine.decode("orders.PaymentTaken", encoded.value).model_dump() == {"a": 1}


async def test_an_incompatible_change_is_refused_and_nothing_is_put() -> None:
    table = MemoryTable()
    await register(table, types_of(a=int))
    before = dict(table.data)
    with pytest.raises(IncompatibleSchema, match=r"field 'b' of orders\.PaymentTaken is new and has no default"):
        await register(table, types_of(a=int, b=int))
    assert table.data == before


async def test_a_raised_version_is_registered_beside_the_old_one() -> None:
    table = MemoryTable()
    await register(table, types_of(a=int))
    await register(table, types_of(version=2, b=str))
    assert table.events() == ["orders.PaymentTaken 1", "orders.PaymentTaken 2"]


async def test_code_that_ran_once_can_always_start_again() -> None:
    table = MemoryTable()
    old = {"a": int, "b": int}
    await register(table, types_of(**old))
    await register(table, types_of(a=int), mode="backward")
    assert await register(table, types_of(**old)) == ()


async def test_two_processes_may_register_the_same_at_once() -> None:
    table = MemoryTable()
    await asyncio.gather(*(register(table, types_of(a=int)) for _ in range(5)))
    assert table.events() == ["orders.PaymentTaken 1"]


async def test_two_that_could_not_see_each_other_cannot_both_stay() -> None:
    table = MemoryTable()

    async def other() -> None:
        await register(table, types_of(a=int))

    table.meanwhile = other
    with pytest.raises(IncompatibleSchema, match=r"field 'a' of orders\.PaymentTaken was long and is string"):
        await register(table, types_of(a=str))
    assert table.events() == ["orders.PaymentTaken 1"]
    assert await register(table, types_of(a=int)) == ()


async def test_docs_alone_make_no_new_entry() -> None:
    table = MemoryTable()

    class A(Event):
        a: int

    class Documented(Event, name="A"):
        """Something happened."""

        a: int

    await register(table, EventTypes("orders", [A]))
    assert await register(table, EventTypes("orders", [Documented])) == ()


async def test_an_entry_that_cannot_be_read_is_named() -> None:
    table = MemoryTable()
    await table.put(b"schema/orders.PaymentTaken/1/00", b"nonsense")
    with pytest.raises(UndecodableValue, match=r"entry 'schema/orders\.PaymentTaken/1/00' is not a schema; remove it"):
        await register(table, types_of(a=int))


async def test_entries_of_other_events_and_other_kinds_are_passed_over() -> None:
    table = MemoryTable()
    await table.put(b"schema/orders.Other/1/00", b"nonsense")
    await table.put(b"schema/", b"")
    await table.put(b"service/payments", b"\xff")
    await table.put(b"\xff", b"\xff")
    await register(table, types_of(a=int))


async def test_the_schemas_of_system_records_are_there_too() -> None:
    table = MemoryTable()
    await register(table, EventTypes("orders", []))
    assert any(key.startswith(b"schema/farandole.Failure/1/") for key in table.data)
