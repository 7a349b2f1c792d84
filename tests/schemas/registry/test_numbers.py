"""Numbers of schemas: asked for once, kept in the catalogue, and what becomes of them when the registry is away."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from farandole.schemas import RegistryRefused, RegistryUnavailable, SchemaText
from farandole.schemas.registry import ConfluentRegistry, Numbers
from registry_server import FakeRegistry

from .table import Table


class Clock:
    """Seconds, as a test says."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def text(name: str) -> SchemaText:
    return SchemaText(
        f"orders.{name}", name.encode().ljust(8), f'{{"type":"record","name":"orders.{name}","fields":[]}}'
    )


PLACED, PAID, SENT = text("Placed"), text("Paid"), text("Sent")


@pytest.fixture
async def server() -> AsyncIterator[FakeRegistry]:
    async with FakeRegistry() as server:
        yield server


@pytest.fixture
async def registry(server: FakeRegistry) -> AsyncIterator[ConfluentRegistry]:
    registry = ConfluentRegistry(server.settings)
    yield registry
    await registry.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def numbers(registry: ConfluentRegistry, clock: Clock) -> Numbers:
    return Numbers(registry, Table(), now=clock, random=lambda: 1.0)


async def test_a_schema_is_asked_for_once(server: FakeRegistry, numbers: Numbers) -> None:
    await numbers.introduce([PLACED, PAID])
    await numbers.introduce([PAID, PLACED])
    assert len(server.asked) == 2
    assert numbers.frames == {PLACED.fingerprint: b"\0\0\0\0\1", PAID.fingerprint: b"\0\0\0\0\2"}


async def test_however_many_wait_for_it_at_once(server: FakeRegistry, numbers: Numbers) -> None:
    await asyncio.gather(*(numbers.introduce([PLACED]) for _ in range(50)))
    assert len(server.asked) == 1


async def test_what_another_process_was_given_is_known_while_the_registry_is_away(
    server: FakeRegistry, registry: ConfluentRegistry
) -> None:
    table = Table()
    await Numbers(registry, table).introduce([PLACED])
    await server.down()
    later = Numbers(registry, table)
    later.recall(table.content)
    await later.introduce([PLACED])
    with pytest.raises(RegistryUnavailable):
        await later.introduce([PAID])


async def test_numbers_of_another_registry_mean_nothing(server: FakeRegistry, registry: ConfluentRegistry) -> None:
    table = Table()
    await Numbers(registry, table).introduce([PLACED])
    async with FakeRegistry() as other:
        elsewhere = ConfluentRegistry(other.settings)
        numbers = Numbers(elsewhere, table)
        numbers.recall(table.content)
        assert numbers.frames == {}
        await elsewhere.close()


async def test_an_entry_that_cannot_be_read_is_passed_over(numbers: Numbers) -> None:
    numbers.recall({b"number/a/b": b"{}", b"number/x/1": b"[", b"schema/x/1/y": b"", b"number/\xff": b""})
    assert numbers.frames == {}


async def test_a_registry_that_failed_is_left_alone_for_longer_and_longer(
    server: FakeRegistry, numbers: Numbers, clock: Clock
) -> None:
    server.answer = (503, b"")
    for wait in (0.5, 1, 2, 4, 8, 16, 30, 30):
        with pytest.raises(RegistryUnavailable):
            await numbers.introduce([PLACED])
        asked = len(server.asked)
        clock.seconds += wait - 0.1
        with pytest.raises(RegistryUnavailable, match="status 503"):
            await numbers.introduce([PLACED])
        assert len(server.asked) == asked
        clock.seconds += 0.2
    server.answer = None
    clock.seconds += 30
    await numbers.introduce([PLACED])
    assert PLACED.fingerprint in numbers.frames


async def test_what_it_gave_before_it_failed_is_kept(server: FakeRegistry, numbers: Numbers) -> None:
    await numbers.introduce([PLACED])
    await server.down()
    with pytest.raises(RegistryUnavailable):
        await numbers.introduce([PLACED, PAID, SENT])
    assert PLACED.fingerprint in numbers.frames


async def test_one_that_is_refused_keeps_no_other_from_its_number(server: FakeRegistry, numbers: Numbers) -> None:
    server.refused |= {PLACED.name, SENT.name}
    with pytest.raises(RegistryRefused) as refused:
        await numbers.introduce([PLACED, PAID, SENT])
    assert [line.split(" refuses the schema of ")[1].split()[0] for line in str(refused.value).splitlines()] == [
        "orders.Placed",
        "orders.Sent",
    ]
    assert list(numbers.frames) == [PAID.fingerprint]


async def test_a_registry_that_was_made_anew_is_noticed_at_the_start(
    server: FakeRegistry, registry: ConfluentRegistry
) -> None:
    table = Table()
    await Numbers(registry, table).introduce([PLACED, PAID])
    server.forget()
    later = Numbers(registry, table)
    later.recall(table.content)
    await later.confirm([PLACED, PAID], 1.0)
    assert later.frames == {}
    await later.introduce([PAID, PLACED])
    assert later.frames[PAID.fingerprint] == b"\0\0\0\0\1"
    last = Numbers(registry, table)
    last.recall(table.content)
    assert last.frames == later.frames


async def test_and_while_it_is_asked(server: FakeRegistry, numbers: Numbers) -> None:
    await numbers.introduce([PLACED, SENT])
    server.forget()
    await numbers.introduce([PAID])
    assert numbers.frames == {PAID.fingerprint: b"\0\0\0\0\1"}
    await numbers.introduce([PLACED])
    assert numbers.frames[PLACED.fingerprint] == b"\0\0\0\0\2"


async def test_of_two_numbers_of_one_schema_the_first_is_taken(numbers: Numbers, registry: ConfluentRegistry) -> None:
    table = Table()
    await Numbers(registry, table).introduce([PLACED])
    ((key, value),) = table.content.items()
    for number in (b"0", b"30", b"4"):
        table.content[key[:-1] + number] = value
    numbers.recall(table.content)
    assert numbers.frames[PLACED.fingerprint] == b"\0\0\0\0\0"


async def test_a_registry_that_says_nothing_at_the_start_is_not_waited_for(
    server: FakeRegistry, registry: ConfluentRegistry
) -> None:
    table = Table()
    await Numbers(registry, table).introduce([PLACED])
    server.gate.clear()
    later = Numbers(registry, table)
    later.recall(table.content)
    await later.confirm([PLACED], 0.1)
    await later.introduce([PLACED])
    assert PLACED.fingerprint in later.frames
    server.gate.set()
