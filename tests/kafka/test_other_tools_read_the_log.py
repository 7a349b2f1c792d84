"""What others make of a log: kcat, and the CloudEvents SDK. They fold nothing, and know nothing of ours."""

import secrets
import shutil
import subprocess
from collections.abc import AsyncIterator
from typing import Any

import pytest
from cloudevents.core.base import BaseCloudEvent, EventFactory
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary
from cloudevents.v1.kafka import KafkaMessage as FirstKafkaMessage
from cloudevents.v1.kafka import from_binary as first_from_binary

from checker import Catalogue, Raw, Topics
from farandole.reactors import Choreography, GiveUp
from farandole.schemas import End, Event, Start
from farandole.testing.plugin import need

pytestmark = pytest.mark.kafka
RECORD = b"\n== a record ==\n"


class LetterWritten(Start):
    text: str
    pages: int = 1


class LetterStamped(Event):
    price: int


class LetterSent(End):
    text: str


class LetterLost(End):
    pass


class Log:
    """A log with some runs in it, as others see it."""

    def __init__(self, bootstrap: str, name: str, records: list[Raw], catalogue: Catalogue) -> None:
        self.bootstrap = bootstrap
        self.name = name
        self.records = records
        self.catalogue = catalogue


@pytest.fixture
async def log(kafka: str) -> AsyncIterator[Log]:
    letters = Choreography(f"letters_{secrets.token_hex(4)}")

    @letters.reactor
    async def stamp(letter: LetterWritten) -> LetterStamped | None:
        if letter.text == "lost":
            raise GiveUp("no address")
        return LetterStamped(price=letter.pages) if letter.text else None

    @letters.reactor
    async def send(letter: LetterStamped) -> LetterSent:
        return LetterSent(text="déjà vu ✉")

    async with letters.work(f"kafka://{kafka}", partitions=2) as client:
        sent = await client.start(LetterWritten(text="hello"))
        lost = await client.start(LetterWritten(text="lost"))
        blank = await client.start(LetterWritten(text=""))
        await sent.result(LetterSent)
        with pytest.raises(Exception, match="no address"):
            await lost.result(LetterSent)
        await blank.cancel("nothing to send")
    async with Topics(kafka, letters.name) as topics:
        yield Log(kafka, letters.name, await topics.catch_up(), Catalogue(await topics.table()))


def kcat(*args: str) -> bytes:
    program = shutil.which("kcat")
    need("kcat", [] if program else ["kcat"], of="kcat")
    assert program is not None
    return subprocess.run([program, *args], check=True, capture_output=True, timeout=30).stdout


async def test_kcat_shows_the_cloudevents_headers_of_every_record(log: Log) -> None:
    output = kcat("-C", "-q", "-e", "-b", log.bootstrap, "-t", f"{log.name}.events", "-f", "%p %o %h" + RECORD.decode())
    seen = {}
    for line in output.split(RECORD)[:-1]:
        partition, offset, headers = line.split(b" ", 2)
        readable, _, _ = headers.partition(b",fa=")  # kcat prints binary values up to their first zero
        seen[int(partition), int(offset)] = dict(pair.split(b"=", 1) for pair in readable.split(b","))
    assert len(seen) == len(log.records) > 10
    for raw in log.records:
        shown = seen[raw.partition, raw.offset]
        assert list(shown) == [b"ce_specversion", b"ce_id", b"ce_source", b"ce_type"]
        assert shown == {name.encode(): value for name, value in raw.headers if name != "fa"}
        assert shown[b"ce_source"].startswith(b"/%s/" % log.name.encode())


class Avro:
    """A data format for the SDK, with schemas from the catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def read_data(self, body: bytes, datacontenttype: str | None) -> Any:
        return self._catalogue.decode(body) if body else None

    def write_data(self, data: Any, datacontenttype: str | None) -> bytes:
        raise NotImplementedError

    def read(self, event_factory: EventFactory | None, data: str | bytes) -> BaseCloudEvent:
        raise NotImplementedError

    def write(self, event: BaseCloudEvent) -> bytes:
        raise NotImplementedError

    def get_content_type(self) -> str:
        return "application/avro"


async def test_the_cloudevents_sdk_parses_every_record_with_its_data(log: Log) -> None:
    events = []
    for raw in log.records:
        # This binding takes the value of every header for text, those of other specifications too.
        headers = {name: value or b"" for name, value in raw.headers if name.startswith("ce_")}
        events.append(from_binary(KafkaMessage(headers, raw.key, raw.value or b""), Avro(log.catalogue)))
    for raw, event in zip(log.records, events, strict=True):
        assert event.get_specversion() == "1.0"
        assert event.get_extension("partitionkey") == (raw.key.decode() if raw.key else None)
        assert (event.get_data() is None) == (raw.value is None)
    by_type = {event.get_type(): event for event in events}
    assert by_type[f"{log.name}.LetterWritten"].get_source() == f"/{log.name}/client"
    assert by_type[f"{log.name}.LetterStamped"].get_source() == f"/{log.name}/{log.name}"
    assert by_type[f"{log.name}.LetterSent"].get_data() == {"text": "déjà vu ✉"}
    assert by_type["farandole.Failure"].get_data()["message"] == "no address"
    assert by_type["farandole.Nothing"].get_data() is None
    assert by_type["farandole.Cancel"].get_data()["reason"] == "nothing to send"
    assert len({(event.get_source(), event.get_id()) for event in events}) == len(events)


async def test_the_sdk_s_first_binding_parses_every_record_with_all_its_headers(log: Log) -> None:
    for raw in log.records:
        message = FirstKafkaMessage({name: value or b"" for name, value in raw.headers}, raw.key, raw.value or b"")
        event = first_from_binary(message, data_unmarshaller=lambda body: log.catalogue.decode(body) if body else None)
        headers = {name: (value or b"").decode() for name, value in raw.headers if name.startswith("ce_")}
        assert {f"ce_{name}": event[name] for name in ("specversion", "id", "source", "type")} == headers
