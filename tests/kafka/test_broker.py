"""The test broker: it comes back on the same data, and never outlives its owner."""

import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from controls import a_record
from farandole.testing import broker as module
from farandole.testing.broker import BrokerFailed, KafkaBroker, fetch_jars, missing_tools

from .conftest import Open
from .waiting import until, whole

pytestmark = pytest.mark.kafka


async def test_data_and_port_survive_a_stop_and_a_kill(second_broker: KafkaBroker, opened: Open) -> None:
    store = await opened(second_broker.bootstrap)
    await store.append(0, [a_record(b"kept")])
    second_broker.restart()
    assert [r.value for r in await whole(store)] == [b"kept"]


async def test_it_ends_when_its_owner_is_killed(kafka_tools: None, tmp_path: Path) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-m", "farandole.testing.broker", "--port", str(module.free_port()), "--data", str(tmp_path)],
        stdout=subprocess.PIPE,
    )
    assert owner.stdout is not None
    assert owner.stdout.readline().startswith(b"kafka://127.0.0.1:")
    [java] = [each for each in psutil.Process(owner.pid).children() if each.name() == "java"]
    owner.send_signal(signal.SIGKILL)
    owner.communicate()
    await until(lambda: not java.is_running() or java.status() == psutil.STATUS_ZOMBIE)


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FARANDOLE_CACHE", str(tmp_path))
    monkeypatch.setattr("shutil.which", lambda tool: None)
    assert missing_tools() == ["java", "mvn"]
    with pytest.raises(BrokerFailed, match=r"java and mvn: on Debian, apt install"):
        fetch_jars()
    (tmp_path / f"kafka-{module.KAFKA}").mkdir()
    assert missing_tools() == ["java"]


def test_a_broker_that_cannot_start_shows_its_log(kafka_tools: None, tmp_path: Path) -> None:
    broker = KafkaBroker(data=tmp_path, config={"log.segment.bytes": "none"})
    with pytest.raises(BrokerFailed, match=r"log\.segment\.bytes"):
        broker.start()
