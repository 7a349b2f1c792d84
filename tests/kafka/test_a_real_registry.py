"""Apicurio beside Kafka: other programs read the log, it says no, it is frozen and killed in the middle of load."""

import asyncio
import json
import secrets
import urllib.request
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from confluent_kafka import Consumer, Message, TopicPartition
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

from checker import Examination, Raw, Topics
from farandole.reactors import Choreography, Client, RunHandle
from farandole.schemas import End, Event, RegistryRefused, Start, upcast
from farandole.testing.registry import SchemaRegistry

from .test_other_tools_read_the_log import kcat
from .waiting import until

pytestmark = pytest.mark.kafka


class OrderPlaced(Start):
    item: str
    count: int = 1


class PaymentTaken(Event):
    receipt: str


class OrderShipped(End):
    label: str


class OrderLost(End):
    why: str


class ParcelPacked(Start):
    weight: int


class ParcelSent(End):
    weight: int


def shop(name: str) -> Choreography:
    made = Choreography(name)

    @made.reactor
    async def pay(order: OrderPlaced) -> PaymentTaken:
        return PaymentTaken(receipt=f"{order.count} × {order.item}")

    @made.reactor
    async def ship(paid: PaymentTaken) -> OrderShipped:
        return OrderShipped(label=paid.receipt)

    return made


@pytest.fixture
def registry(apicurio: SchemaRegistry) -> SchemaRegistry:
    return apicurio


@pytest.fixture
def name() -> str:
    return f"shop_{secrets.token_hex(4)}"


@pytest.fixture
def url(kafka: str, registry: SchemaRegistry) -> str:
    return f"kafka://{kafka}?registry={registry.url}?timeout=1"


@pytest.fixture
async def client(name: str, url: str) -> AsyncIterator[Client]:
    """Of a log with a worker and a finished run."""
    async with shop(name).work(url, partitions=2) as client:
        run = await client.start(OrderPlaced(item="té", count=2), run_id="first")
        assert (await run.result(OrderShipped)).label == "2 × té"
        yield client


def consumed(kafka: str, topic: str, partitions: int) -> list[Message]:
    """A topic as Confluent's own client has it."""
    consumer = Consumer({"bootstrap.servers": kafka, "group.id": "others", "enable.auto.commit": False})
    try:
        places = [TopicPartition(topic, p, 0) for p in range(partitions)]
        ends = {place.partition: consumer.get_watermark_offsets(place, timeout=10)[1] for place in places}
        consumer.assign(places)
        found: list[Message] = []
        while len(found) < sum(ends.values()):
            found += consumer.consume(500, timeout=1.0)
        return found
    finally:
        consumer.close()


async def test_confluent_s_deserializer_reads_every_record(
    kafka: str, name: str, client: Client, registry: SchemaRegistry
) -> None:
    decode = AvroDeserializer(SchemaRegistryClient({"url": registry.url}))
    topic = f"{name}.events"

    def read() -> list[tuple[bytes, Any]]:
        return [
            (dict(m.headers() or ())["ce_type"], decode(m.value(), SerializationContext(topic, MessageField.VALUE)))  # type: ignore[arg-type]
            for m in consumed(kafka, topic, 2)
        ]

    found = await asyncio.to_thread(read)
    assert len(found) >= 7
    by_type = dict(found)
    assert by_type[f"{name}.OrderPlaced".encode()] == {"item": "té", "count": 2}
    assert by_type[f"{name}.OrderShipped".encode()] == {"label": "2 × té"}
    assert by_type[b"farandole.Genesis"]["partitions"] == 2
    assert by_type[b"farandole.Contract"]["service"] == name


async def test_kcat_reads_the_numbers_and_finds_their_schemas(
    kafka: str, name: str, client: Client, registry: SchemaRegistry
) -> None:
    # By kcat's own unpacking, for Debian's is built without Avro.
    packed = kcat("-C", "-q", "-e", "-b", kafka, "-t", f"{name}.events", "-s", "value=>B I", "-f", "%k %s\n")
    lines = [line.split(b" ") for line in packed.splitlines() if line.startswith(b"first ")]
    assert len(lines) == 3
    assert all(magic == b"0" for _, magic, *_ in lines)
    names = [json.loads(asked(f"{registry.url}/schemas/ids/{int(line[2])}")["schema"])["name"] for line in lines]
    assert names == [f"{name}.OrderPlaced", f"{name}.PaymentTaken", f"{name}.OrderShipped"]
    if b"Avro" in kcat("-V"):
        said = kcat("-C", "-q", "-e", "-b", kafka, "-t", f"{name}.events", "-s", "value=avro", "-r", registry.url)
        assert [json.loads(line) for line in said.splitlines() if line].count({"item": "té", "count": 2}) == 1


def asked(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


async def test_subjects_are_the_names_of_records(name: str, client: Client, registry: SchemaRegistry) -> None:
    subjects = asked(f"{registry.url}/subjects")
    assert {f"{name}.OrderPlaced", f"{name}.OrderShipped", "farandole.Genesis", "farandole.Failure"} <= set(subjects)
    assert asked(f"{registry.url}/subjects/{name}.OrderPlaced/versions") == [1]


async def test_its_refusal_is_told_with_subject_reason_and_cure(
    name: str, url: str, client: Client, registry: SchemaRegistry
) -> None:
    put = urllib.request.Request(
        f"{registry.url}/config", b'{"compatibility": "BACKWARD"}', {"Content-Type": "application/json"}, method="PUT"
    )
    urllib.request.urlopen(put, timeout=10).close()
    changed = Choreography(name)

    class OrderPlaced(Start, version=2):
        goods: list[str]

        @staticmethod
        @upcast(1)
        def listed(old: dict[str, Any]) -> dict[str, Any]:
            return {"goods": [old["item"]]}

    @changed.reactor
    async def lose(order: OrderPlaced) -> OrderLost:
        return OrderLost(why="no goods")

    with pytest.raises(RegistryRefused) as refused:
        async with changed.connect(url):
            pass
    said = str(refused.value)
    assert f"refuses the schema of {name}.OrderPlaced under the subject '{name}.OrderPlaced': " in said
    assert "Incompatible artifact" in said
    assert f"{registry.url}/config/{name}.OrderPlaced" in said


async def under_load(
    client: Client, runs: list[RunHandle], count: int, *, at: int, then: "asyncio.Future[None]"
) -> None:
    """Start runs, and say when so many have been started."""
    for n in range(count):
        runs.append(await client.start(OrderPlaced(item="a", count=n), run_id=f"load-{n}"))
        if n == at:
            then.set_result(None)
        await asyncio.sleep(0.005)


async def log_of(kafka: str, name: str) -> tuple[Sequence[Raw], Examination]:
    async with Topics(kafka, name) as topics:
        records = await topics.catch_up()
        found = Examination(topics.partitions, await topics.table())
    found.take(records)
    return records, found


@pytest.mark.parametrize("fault", ["frozen", "killed"])
async def test_work_goes_on_while_it_is_away_in_the_middle_of_load(
    kafka: str, name: str, url: str, registry: SchemaRegistry, fault: str
) -> None:
    runs: list[RunHandle] = []
    now: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    async with shop(name).work(url, partitions=4) as client:
        loading = asyncio.create_task(under_load(client, runs, 300, at=100, then=now))
        await now
        if fault == "frozen":
            registry.pause()
        else:
            registry.kill()
        try:
            # A worker that comes while it is away, and one that goes.
            async with shop(name).work(url):
                await until(lambda: len(runs) > 200)
            await loading
            ends = await asyncio.gather(*(run.result(OrderShipped, timeout="60s") for run in runs))
        finally:
            registry.resume()
            registry.start()
        assert [end.label for end in ends] == [f"{n} × a" for n in range(300)]
    records, found = await log_of(kafka, name)
    assert {raw.value[:1] for raw in records if raw.value} == {b"\0"}
    assert found.closed == 300
    assert found.conclude() == []


async def test_what_is_new_while_it_is_killed_waits_for_it_and_nothing_else_does(
    kafka: str, name: str, url: str, registry: SchemaRegistry
) -> None:
    async with shop(name).work(url, partitions=2) as before:
        await (await before.start(OrderPlaced(item="té"), run_id="first")).result(OrderShipped)
    released = shop(name)

    @released.reactor
    async def post(parcel: ParcelPacked) -> ParcelSent:
        return ParcelSent(weight=parcel.weight)

    registry.kill()
    try:
        async with released.work(url) as newer:
            starting = asyncio.create_task(newer.start(ParcelPacked(weight=3), run_id="parcel"))
            for n in range(5):
                order = await newer.start(OrderPlaced(item="a", count=n), run_id=f"order-{n}")
                assert (await order.result(OrderShipped, timeout="30s")).label == f"{n} × a"
            assert not starting.done()
            await asyncio.to_thread(registry.start)
            parcel = await asyncio.wait_for(starting, 60)
            assert (await parcel.result(ParcelSent, timeout="60s")).weight == 3
    finally:
        registry.start()
    assert f"{name}.ParcelPacked" in asked(f"{registry.url}/subjects")
    records, found = await log_of(kafka, name)
    assert {raw.value[:1] for raw in records if raw.value} == {b"\0"}
    assert not [raw for raw in records if dict(raw.headers)["ce_type"] == b"farandole.Failure"]
    assert found.closed == 7
    assert found.conclude() == []
