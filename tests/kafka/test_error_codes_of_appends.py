"""An append that the broker has, and answers with an error, is in doubt: it goes in again, and counts once.

The client takes code 13 (NETWORK_EXCEPTION) for another error, which it holds to be final, and knows no 32000 at all.
"""

import secrets
from collections.abc import AsyncIterator

import pytest

from checker import Topics, Verdict
from checker.examine import Examination
from controls import some_records
from farandole.eventstore import AppendUnknown
from farandole.reactors import Choreography
from farandole.schemas import End, Start
from farandole.testing.broker import KafkaBroker

from .conftest import Open
from .spoiling import SpoilingProxy
from .waiting import insist, whole, within

pytestmark = [pytest.mark.kafka, pytest.mark.parametrize("code", [13, 32_000])]


@pytest.fixture
async def spoiling(kafka_broker: KafkaBroker) -> AsyncIterator[SpoilingProxy]:
    """The network before the session's broker."""
    listener = kafka_broker.listeners["PROXIED"]
    async with SpoilingProxy(listener.advertised, listener.port) as proxy:
        yield proxy


async def test_it_is_unknown_and_the_producer_is_replaced(opened: Open, spoiling: SpoilingProxy, code: int) -> None:
    store = await opened(f"127.0.0.1:{spoiling.port}")
    await store.append(0, some_records(1, "before"))
    spoiling.spoil(b"doubt0", code)
    with pytest.raises(AppendUnknown, match="append the same bytes again"):
        await within(store.append(0, some_records(2, "doubt")))
    assert (spoiling.spoilt, store.stats.unknown, store.stats.producer_rebuilds) == (1, 1, 1)
    assert await insist(store, some_records(2, "doubt")) == 3
    await within(store.append(0, some_records(1, "after")))
    values = [record.value for record in await whole(store)]
    assert values == [b"before0", b"doubt0", b"doubt1", b"doubt0", b"doubt1", b"after0"]
    assert store.stats.producer_rebuilds == 1


class Begun(Start): ...


class Done(End): ...


async def test_a_worker_appends_the_same_bytes_again_and_the_step_is_done_once(
    kafka_broker: KafkaBroker, spoiling: SpoilingProxy, code: int
) -> None:
    kafka, dance = kafka_broker.bootstrap, Choreography(f"dance_{secrets.token_hex(6)}")
    begun: list[Begun] = []

    @dance.reactor
    async def finish(event: Begun) -> Done:
        begun.append(event)
        return Done()

    async with (
        dance.connect(f"kafka://{kafka}", partitions=1) as client,
        dance.work(f"kafka://127.0.0.1:{spoiling.port}"),
    ):
        await (await client.start(Begun(), run_id="first")).result(Done, timeout="60s")
        spoiling.spoil(b"the-one", code)
        await (await client.start(Begun(), run_id="the-one")).result(Done, timeout="60s")
        await (await client.start(Begun(), run_id="last")).result(Done, timeout="60s")
    assert (spoiling.spoilt, len(begun)) == (1, 3)
    async with Topics(kafka, dance.name) as topics:
        found = Examination(topics.partitions, await topics.table())
        found.take(await topics.catch_up())
    assert found.conclude() == []
    once, again = [
        (raw, verdict)
        for raw, head, verdict in found.partitions[0].records
        if head is not None and head.reactor == b"finish" and raw.key == b"the-one"
    ]
    assert (once[0].value, list(once[0].headers)) == (again[0].value, list(again[0].headers))
    assert (once[1], again[1]) == (Verdict.ADMITTED, Verdict.NO_RUN)
