"""Values for a schema registry: what others read, what waits for it when it is away, and that nothing else ever does."""

import asyncio
import io
import json
import logging
import secrets
import traceback
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

import fastavro
import pytest
from tests.reactors.client.test_archiving import archived, grown
from tests.reactors.working.controls import Stage
from tests.reactors.working.test_checkpoints import a_dance

from checker import Examination, Raw, Topics
from farandole.eventstore import EventStore, NotAppended, Record, SchemaUnavailable, StoreError, SystemClock
from farandole.eventstore.kafka import diagnose, open_kafka
from farandole.reactors import Child, Choreography, Client
from farandole.reactors.archive import archived_records
from farandole.reactors.archived import archived_run, archived_schemas
from farandole.reactors.attach import attach
from farandole.reactors.plain_reader import PlainReader
from farandole.schemas import Compress, End, Event, EventTypes, RegistryRefused, SchemaText, Signal, Start, register
from farandole.schemas.envelope import Kind, pack
from farandole.schemas.ids import new_append, outside_id
from registry_server import FakeRegistry

from .waiting import until, whole, within

pytestmark = pytest.mark.kafka


class LetterWritten(Start):
    text: str


class LetterStamped(Event):
    price: int


class LetterSent(End):
    text: str


class ParcelPacked(Start):
    weight: int


class ParcelSent(End):
    weight: int


class TripBegun(Start):
    weight: int


class Called(Signal):
    by: str


def letters(name: str) -> Choreography:
    made = Choreography(name)

    @made.reactor
    async def stamp(letter: LetterWritten) -> LetterStamped:
        return LetterStamped(price=len(letter.text))

    @made.reactor
    async def send(letter: LetterStamped) -> LetterSent:
        return LetterSent(text=f"stamped with {letter.price}")

    return made


def letters_and_parcels(name: str) -> Choreography:
    """A later release, with events that the registry has not seen."""
    made = letters(name)

    @made.reactor
    async def post(parcel: ParcelPacked) -> ParcelSent:
        return ParcelSent(weight=parcel.weight)

    return made


@pytest.fixture
def name() -> str:
    return f"letters_{secrets.token_hex(4)}"


@pytest.fixture
async def registry() -> AsyncIterator[FakeRegistry]:
    async with FakeRegistry() as server:
        yield server


@pytest.fixture
def url(kafka: str, registry: FakeRegistry) -> str:
    """A log with a registry."""
    return f"kafka://{kafka}?registry={registry.url}?timeout=0.5"


@pytest.fixture
def without(kafka: str) -> str:
    """The same log, without one."""
    return f"kafka://{kafka}"


async def records_of(kafka: str, name: str) -> tuple[Sequence[Raw], Examination]:
    """The topic as any consumer gets it, and what the checker makes of it."""
    async with Topics(kafka, name) as topics:
        records = await topics.catch_up()
        found = Examination(topics.partitions, await topics.table())
    found.take(records)
    return records, found


async def a_letter(made: Choreography, url: str) -> None:
    async with made.work(url, partitions=2) as client:
        run = await client.start(LetterWritten(text="hello"))
        assert (await run.result(LetterSent)).text == "stamped with 5"


async def test_every_value_is_read_by_the_registry_s_schemas_alone(
    kafka: str, name: str, url: str, registry: FakeRegistry
) -> None:
    await a_letter(letters(name), url)
    records, found = await records_of(kafka, name)
    schemas = {number: json.loads(text) for (_, text), number in registry.numbers.items()}
    read = {}
    for raw in records:
        assert raw.value is not None and raw.value[:1] == b"\0"
        schema = schemas[int.from_bytes(raw.value[1:5], "big")]
        body = io.BytesIO(raw.value[5:])
        read[dict(raw.headers)["ce_type"]] = fastavro.schemaless_reader(body, schema, None)
        assert not body.read()
        assert schema["name"].encode() == dict(raw.headers)["ce_type"]
    assert read[f"{name}.LetterStamped".encode()] == {"price": 5}
    assert read[b"farandole.Genesis"]["partitions"] == 2
    assert {subject for subject, _ in registry.numbers} >= {f"{name}.LetterSent", "farandole.Failure"}
    assert found.conclude() == []
    assert found.closed == 1


async def test_a_log_moves_to_a_registry_and_back_in_the_middle_of_a_run(
    kafka: str, name: str, url: str, without: str
) -> None:
    made = Choreography(name)

    @made.reactor
    async def stamp(letter: LetterWritten) -> LetterStamped:
        return LetterStamped(price=1)

    @made.reactor
    async def send(letter: LetterStamped, called: Called) -> LetterSent:
        return LetterSent(text=called.by)

    async with made.work(without, partitions=1) as client:
        run = await client.start(LetterWritten(text="a"), run_id="moved")
        async for recorded in run.events():
            if isinstance(recorded.event, LetterStamped):
                break
    async with made.connect(url) as client:
        await client.run("moved").send(Called(by="ann"))
    async with made.work(without) as client:
        assert (await client.run("moved").result(LetterSent)).text == "ann"
        said = [recorded.event async for recorded in client.run("moved").events(live=False)]
        assert [type(event) for event in said] == [LetterWritten, LetterStamped, Called, LetterSent]
    records, found = await records_of(kafka, name)
    assert {raw.value[:1] for raw in records if raw.value} == {b"\0", b"\xc3"}
    assert found.conclude() == []


async def test_whoever_looks_on_needs_no_registry(name: str, url: str, without: str, registry: FakeRegistry) -> None:
    made = letters(name)
    await a_letter(made, url)
    await registry.down()
    client = await attach(Choreography(name), without)
    async with client:
        reader = PlainReader(client.store.catalogue.load, client.scribe.types, client.store.explain)
        read = [await reader.read(record) for p in range(2) for record in await whole(client.store, p)]
        assert {"text": "hello"} in read and {"price": 5} in read
        [run] = (await client.runs()).runs
        assert run.status.status == "completed"


async def test_a_new_log_waits_for_its_registry(name: str, url: str, registry: FakeRegistry) -> None:
    await registry.down()
    opening = asyncio.create_task(a_letter(letters(name), url))
    await asyncio.sleep(0)
    async with await open_kafka(url, name, partitions=2) as store:
        with pytest.raises(NotAppended, match="waits for the number of its schema"):
            await store.append(0, [await stamped(store, name)])
    assert not opening.done()
    await registry.up()
    await within(opening)


async def stamped(store: EventStore, name: str) -> Record:
    """A record whose schema is in the catalogue, and has no number."""
    types = EventTypes(name, [LetterStamped])
    await register(store.catalogue, types)
    encoded = types.encode(LetterStamped(price=1))
    headers = pack(
        kind=Kind.SIGNAL, id=outside_id(), type=f"{name}.LetterStamped".encode(), source=b"/a/b", append=new_append(),
        sent=0, not_after=1, schema=encoded.schema,
    )  # fmt: skip
    return Record(b"nobody", encoded.value, headers)


@pytest.mark.parametrize("how", ["gone", "silent"])
async def test_what_was_written_before_goes_on_while_the_registry_is_away(
    kafka: str, name: str, url: str, registry: FakeRegistry, how: str
) -> None:
    await a_letter(letters(name), url)
    if how == "gone":
        await registry.down()
    else:
        registry.gate.clear()
    await a_letter(letters(name), url)  # the registry is away until this is done, and if it has gone for ever
    registry.gate.set()
    records, found = await records_of(kafka, name)
    assert {raw.value[:1] for raw in records if raw.value} == {b"\0"}
    assert found.closed == 2
    assert found.conclude() == []


async def test_steps_that_write_what_is_new_wait_and_the_others_go_on(
    kafka: str, name: str, url: str, registry: FakeRegistry
) -> None:
    await a_letter(letters(name), url)
    await registry.down()
    async with letters_and_parcels(name).work(url) as client:
        # The start itself waits as well: its schema is as new.
        starting = asyncio.create_task(client.start(ParcelPacked(weight=3), run_id="parcel"))
        for n in range(5):
            letter = await client.start(LetterWritten(text="x" * n))
            assert (await letter.result(LetterSent, timeout="60s")).text == f"stamped with {n}"
        assert not starting.done()
        await registry.up()
        parcel = await within(starting)
        assert (await parcel.result(ParcelSent, timeout="60s")).weight == 3
        status = await parcel.status()
        assert status.status == "completed"
    records, found = await records_of(kafka, name)
    assert {raw.value[:1] for raw in records if raw.value} == {b"\0"}
    assert not [raw for raw in records if dict(raw.headers)["ce_type"] == b"farandole.Failure"]
    assert found.conclude() == []


async def test_a_step_waits_for_the_schema_of_what_it_may_emit_before_it_is_begun(
    name: str, without: str, url: str, registry: FakeRegistry
) -> None:
    begun: list[int] = []
    made = letters(name)

    @made.reactor
    async def post(parcel: ParcelPacked) -> ParcelSent:
        begun.append(parcel.weight)
        return ParcelSent(weight=parcel.weight)

    await a_letter(letters(name), url)
    async with made.connect(without) as client:
        await client.start(ParcelPacked(weight=7), run_id="parcel")
    await registry.down()
    async with made.work(url) as client:
        letter = await client.start(LetterWritten(text="abc"))
        assert (await letter.result(LetterSent, timeout="60s")).text == "stamped with 3"
        assert begun == []
        await registry.up()
        assert (await client.run("parcel").result(ParcelSent, timeout="60s")).weight == 7
    assert begun == [7]


async def test_a_child_of_another_choreography_waits_and_what_else_is_in_its_partition_does_not(
    name: str, url: str, registry: FakeRegistry
) -> None:
    made, elsewhere = letters(name), letters_and_parcels(f"{name}_elsewhere")
    begun: list[int] = []

    @made.reactor
    async def forward(trip: TripBegun) -> Child[ParcelPacked]:
        begun.append(trip.weight)
        return Child(ParcelPacked(weight=trip.weight), choreography=elsewhere.name, run_id="parcel")

    async with elsewhere.work(url, partitions=1) as there, made.work(url, partitions=1) as client:
        await registry.down()
        await client.start(TripBegun(weight=5))
        await until(lambda: begun == [5])
        await a_letter_by(client)
        assert (await there.run("parcel").status()).status == "absent"
        await registry.up()
        assert (await there.run("parcel").result(ParcelSent, timeout="60s")).weight == 5
    assert begun == [5]


async def test_a_schedule_of_something_new_waits_and_the_others_tick(
    name: str, url: str, registry: FakeRegistry
) -> None:
    await a_letter(letters(name), url)
    made = letters_and_parcels(name)
    made.schedule(ParcelPacked(weight=9), name="a_parcel", every="1s")
    made.schedule(LetterWritten(text="tick"), name="letter", every="1s")
    await registry.down()
    async with made.work(url) as client:
        await _runs(client, LetterWritten, 3)
        assert not (await client.runs(type=ParcelPacked)).runs
        await registry.up()
        await _runs(client, ParcelPacked, 1)


async def _runs(client: Client, start: type[Start], count: int) -> None:
    async with asyncio.timeout(100):
        while len((await client.runs(type=start)).runs) < count:
            await asyncio.sleep(0.1)


async def test_with_a_payload_codec_no_step_waits_for_a_registry(
    name: str, url: str, without: str, registry: FakeRegistry
) -> None:
    def sealed(made: Choreography) -> Choreography:
        again = Choreography(name, codec=Compress(at_least=1))
        for reactor in made.reactors:
            again.reactor(reactor.fn)
        return again

    await a_letter(sealed(letters(name)), url)
    await registry.down()
    async with sealed(letters_and_parcels(name)).work(url) as client:
        parcel = await client.start(ParcelPacked(weight=3))
        assert (await parcel.result(ParcelSent, timeout="60s")).weight == 3


async def test_a_refusal_stops_a_release_at_its_start(name: str, url: str, registry: FakeRegistry) -> None:
    await a_letter(letters(name), url)
    registry.refused.add(f"{name}.ParcelSent")
    with pytest.raises(RegistryRefused) as refused:
        async with letters_and_parcels(name).work(url):
            pass
    assert f"under the subject '{name}.ParcelSent': field 'a' lost its default" in str(refused.value)
    async with await open_kafka(url, name, create=False) as store:
        assert not [key for key in await store.catalogue.load() if b"ParcelSent" in key]


async def test_a_refusal_that_comes_late_parks_the_step(
    name: str, url: str, without: str, registry: FakeRegistry
) -> None:
    await a_letter(letters(name), url)
    made = letters_and_parcels(name)
    async with made.connect(without) as client:
        await client.start(ParcelPacked(weight=7), run_id="parcel")
    registry.refused.add(f"{name}.ParcelSent")
    await registry.down()
    async with made.work(url) as client:
        await registry.up()
        with pytest.raises(Exception, match="refuses the schema of"):
            await client.run("parcel").result(ParcelSent, timeout="60s")


async def test_a_client_that_starts_what_is_refused_is_told(name: str, url: str, registry: FakeRegistry) -> None:
    await a_letter(letters(name), url)
    registry.refused.add(f"{name}.ParcelPacked")
    async with letters(name).connect(url) as client:
        with pytest.raises(RegistryRefused, match=f"under the subject '{name}.ParcelPacked'"):
            await client.start(ParcelPacked(weight=1))


def from_elsewhere(name: str, number: int, weight: int) -> Record:
    """What another program writes that knows the registry, and nothing of fingerprints."""
    body = io.BytesIO()
    fastavro.schemaless_writer(body, fastavro.parse_schema(json.loads(parcel_schema(name))), {"weight": weight})
    headers = pack(
        kind=Kind.START, id=outside_id(), type=f"{name}.ParcelPacked".encode(), source=b"/shop/java",
        append=new_append(), sent=0,
    )  # fmt: skip
    return Record(f"parcel-{weight}".encode(), b"\0" + number.to_bytes(4, "big") + body.getvalue(), headers)


def parcel_schema(name: str) -> str:
    return json.dumps({"type": "record", "name": f"{name}.ParcelPacked", "fields": [{"name": "weight", "type": "int"}]})


async def test_what_another_program_wrote_waits_for_the_registry_and_is_read(
    kafka: str, name: str, url: str, without: str, registry: FakeRegistry
) -> None:
    made = letters_and_parcels(name)
    async with made.work(url, partitions=2) as client:
        await a_letter_by(client)
    number = registry.numbers[f"{name}.ParcelPacked", parcel_schema(name)] = 900
    await registry.down()
    async with await open_kafka(without, name, create=False) as store:
        record = from_elsewhere(name, number, 12)
        await store.append(store.partition_of(record.key or b""), [record])
    async with made.work(url) as client:
        await a_letter_by(client)
        reading = asyncio.create_task(_first(client, "parcel-12"))
        await registry.up()
        assert (await client.run("parcel-12").result(ParcelSent, timeout="60s")).weight == 12
        assert await within(reading) == ParcelPacked(weight=12)
    # From now on nobody has to ask.
    await registry.down()
    async with made.connect(without) as client:
        assert await _first(client, "parcel-12") == ParcelPacked(weight=12)
    _, found = await records_of(kafka, name)
    assert found.conclude() == []


async def a_letter_by(client: Client) -> None:
    letter = await client.start(LetterWritten(text="abc"))
    await letter.result(LetterSent, timeout="60s")


async def _first(client: Client, run: str) -> Event:
    async for recorded in client.run(run).events(live=False):
        return recorded.event
    raise AssertionError(f"{run} has no event")


async def test_a_number_that_no_registry_knows_parks_the_step(
    name: str, url: str, without: str, registry: FakeRegistry
) -> None:
    async with letters_and_parcels(name).work(url, partitions=2) as client:
        async with await open_kafka(without, name, create=False) as store:
            record = from_elsewhere(name, 12345, 1)
            await store.append(store.partition_of(record.key or b""), [record])
        with pytest.raises(Exception, match="has no schema number 12345"):
            await client.run("parcel-1").result(ParcelSent, timeout="60s")


async def test_a_schema_of_something_else_is_not_adopted(
    name: str, url: str, without: str, registry: FakeRegistry
) -> None:
    async with await open_kafka(url, name, partitions=1) as store:
        registry.numbers["x", '{"type":"record","name":"other.Thing","fields":[]}'] = 77
        await store.append(0, [from_elsewhere(name, 77, 1)])
        [record] = await store.fetch(0, [0])
        with pytest.raises(Exception, match=r"is that of a other\.Thing"):
            await store.explain(record)
        assert not await store.catalogue.load()


async def test_without_an_answer_the_reader_is_told_what_it_waits_for(
    name: str, url: str, registry: FakeRegistry
) -> None:
    async with await open_kafka(url, name, partitions=1) as store:
        await store.append(0, [from_elsewhere(name, 77, 1)])
        [record] = await store.fetch(0, [0])
        await registry.down()
        with pytest.raises(SchemaUnavailable, match="cannot be reached"):
            await store.explain(record)


async def test_what_a_payload_codec_made_stays_as_it_is(kafka: str, name: str, url: str) -> None:
    made = letters(name)
    sealed = Choreography(name, codec=Compress(at_least=1))
    for reactor in made.reactors:
        sealed.reactor(reactor.fn)
    await a_letter(sealed, url)
    records, found = await records_of(kafka, name)
    coded = [raw for raw in records if dict(raw.headers)["fa"] and dict(raw.headers)["fa"][3] & 32]  # type: ignore[index]
    assert len(coded) == 3
    assert found.conclude() == []


async def test_what_leaves_such_a_log_for_an_archive_is_read_without_the_registry(
    url: str, registry: FakeRegistry, tmp_path: Path
) -> None:
    async with Stage(url, partitions=1, clock=SystemClock()) as stage:
        dance = a_dance()
        await grown(stage, dance)
        [done] = await archived(await stage.client(dance), tmp_path)
        assert done.file is not None
    await registry.down()
    run = archived_run(tmp_path, dance.name, "done-3")
    assert run.status.status == "completed"
    reader = PlainReader(lambda: schemas_of(tmp_path, dance.name), EventTypes(dance.name, []))
    read = [await reader.read(record) for record in archived_records(done.file)]
    assert {"n": 3} in [{"n": each["n"]} for each in read if each and "n" in each]


async def schemas_of(folder: Path, choreography: str) -> Mapping[bytes, bytes]:
    return archived_schemas(folder, choreography)


async def test_doctor_says_what_it_finds(name: str, url: str, without: str, registry: FakeRegistry) -> None:
    async def said(url: str) -> list[tuple[str, str]]:
        return [(f.severity, f.cause) for f in await diagnose(url, name) if f.check == "registry"]

    assert await said(without) == []
    await a_letter(letters(name), url)
    [(severity, cause)] = await said(url)
    assert severity == "ok"
    assert cause.startswith(f"{registry.url} answers, compatibility BACKWARD; ")
    [(severity, cause)] = await said(without)
    assert (severity, cause) == (
        "warning",
        "values of this log are written for a schema registry, and none is named here",
    )
    registry.answer = (401, b"{}")
    [(severity, cause)] = await said(url)
    assert severity == "error" and "check FARANDOLE_REGISTRY_USERNAME" in cause
    await registry.down()
    [(severity, cause)] = await said(url)
    assert severity == "warning" and "cannot be reached" in cause


async def test_a_process_without_the_setting_is_warned(
    name: str, url: str, without: str, caplog: pytest.LogCaptureFixture
) -> None:
    await a_letter(letters(name), url)
    caplog.clear()
    await a_letter(letters(name), without)
    assert [r.message for r in caplog.records if "set FARANDOLE_REGISTRY" in r.message]


async def test_a_registry_that_was_made_anew_gets_the_schemas_again(
    kafka: str, name: str, url: str, registry: FakeRegistry
) -> None:
    await a_letter(letters(name), url)
    before = dict(registry.numbers)
    registry.forget()
    await a_letter(letters(name), url)
    await until(lambda: set(before) == set(registry.numbers))
    _, found = await records_of(kafka, name)
    assert found.conclude() == []


async def test_its_login_is_in_no_log_line_error_or_finding(
    name: str, url: str, registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("FARANDOLE_REGISTRY_USERNAME", "alice")
    monkeypatch.setenv("FARANDOLE_REGISTRY_PASSWORD", "s3cret-pa55-0815")
    caplog.set_level(logging.DEBUG)
    await a_letter(letters(name), url)
    sent = registry.headers["authorization"].removeprefix("Basic ")
    said = [repr(await diagnose(url, name))]
    for answer in ((401, b"{}"), (503, b""), (200, b"<html>")):
        registry.answer = answer
        said.append(repr(await diagnose(url, name)))
        async with await open_kafka(url, name, create=False) as store:
            said += [repr(vars(store)), store.url, str(store.registry)]
            try:
                await store.introduce([SchemaText("a.B", b"12345678", "{}")])
            except StoreError as e:
                said += traceback.format_exception(e)
    for text in (*said, caplog.text):
        assert "s3cret" not in text
        assert sent not in text
