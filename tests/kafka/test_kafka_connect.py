"""Kafka Connect carries a log elsewhere: its file sink has every record, to the byte."""

import asyncio
import secrets
import shutil
import subprocess
from pathlib import Path

import pytest

from checker import Topics
from farandole.reactors import Choreography
from farandole.schemas import End, Start
from farandole.testing.broker import KAFKA, fetch_jars
from farandole.testing.plugin import need
from farandole.testing.registry import SchemaRegistry

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(300)]


class LetterWritten(Start):
    text: str


class LetterSent(End):
    text: str


@pytest.fixture(scope="module")
def sink(kafka_tools: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The plugin that writes to files, of the broker's own version."""
    need("Kafka Connect", [] if shutil.which("mvn") else ["mvn"])
    folder = tmp_path_factory.mktemp("connect")
    artifact = f"org.apache.kafka:connect-file:{KAFKA}"
    command = ["mvn", "-q", "-B", "dependency:copy", f"-Dartifact={artifact}", f"-DoutputDirectory={folder}"]
    subprocess.run(command, check=True, timeout=200, cwd=folder)
    return folder / f"connect-file-{KAFKA}.jar"


async def test_its_file_sink_has_every_record_to_the_byte(
    kafka: str, apicurio: SchemaRegistry, sink: Path, tmp_path: Path
) -> None:
    made = Choreography(f"connected_{secrets.token_hex(4)}")

    @made.reactor
    async def send(letter: LetterWritten) -> LetterSent:
        return LetterSent(text=letter.text)

    async with made.work(f"kafka://{kafka}?registry={apicurio.url}", partitions=1) as client:
        for text in ("té", "two\nlines", "三"):
            await (await client.start(LetterWritten(text=text))).result(LetterSent)
    async with Topics(kafka, made.name) as topics:
        records = await topics.catch_up()
    written = tmp_path / "sink.txt"
    (tmp_path / "worker.properties").write_text(f"""bootstrap.servers={kafka}
listeners=http://127.0.0.1:0
offset.storage.file.filename={tmp_path}/offsets
key.converter=org.apache.kafka.connect.storage.StringConverter
value.converter=org.apache.kafka.connect.storage.StringConverter
value.converter.converter.encoding=ISO-8859-1
offset.flush.interval.ms=200
""")
    # Each byte is one character of that encoding, so what the sink writes as text are the record's own bytes.
    (tmp_path / "sink.properties").write_text(f"""name=sink
connector.class=org.apache.kafka.connect.file.FileStreamSinkConnector
tasks.max=1
topics={made.name}.events
file={written}
""")
    wanted = "".join(f"{raw.value.decode('latin-1') if raw.value is not None else 'null'}\n" for raw in records)
    classes = f"{sink}:{fetch_jars()}/*"
    with (tmp_path / "connect.log").open("wb") as log:
        connect = subprocess.Popen(
            [
                "java", "-Xmx256m", "-Dfile.encoding=UTF-8", "-cp", classes, "org.apache.kafka.connect.cli.ConnectStandalone",
                tmp_path / "worker.properties", tmp_path / "sink.properties",
            ],
            stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        async with asyncio.timeout(120):
            while not written.exists() or len(read(written)) < len(wanted):
                assert connect.poll() is None, (tmp_path / "connect.log").read_text()[-3000:]
                await asyncio.sleep(0.1)
    finally:
        connect.kill()
        connect.wait(30)
    assert read(written) == wanted


def read(path: Path) -> str:
    return path.read_bytes().decode(errors="replace")
