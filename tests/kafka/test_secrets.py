"""A secret that is planted wherever one may stand is found nowhere else: logs, texts of objects, errors, metrics, screens."""

import base64
import gc
import logging
import os
import secrets
import subprocess
import sys
import traceback
import urllib.request
from collections.abc import AsyncIterator, Iterator

import pytest
from pydantic import SecretStr
from pydantic_settings import BaseSettings

from farandole.eventstore import StoreError, connect
from farandole.eventstore.kafka import diagnose
from farandole.reactors import Choreography, GiveUp, Retry, RunFailed
from farandole.schemas import Chain, Compress, Encrypt, End, Start
from farandole.testing.broker import KafkaBroker
from farandole.testing.server import free_port

from .tls import KEY_PASSWORD, PASSWORD
from .waiting import whole

pytestmark = pytest.mark.kafka

WRONG = "wr0ng-s3cret-0042"
SETTING = "sk-live-5577006791947779410"
KEY = b"0123456789-the-key-of-the-codec!"
FIELD = "what-only-the-customer-knows"


def forms(secret: bytes) -> Iterator[str]:
    """How a secret may look when it is written down."""
    yield secret.decode()
    yield secret.hex()
    yield base64.b64encode(secret).decode()
    yield base64.urlsafe_b64encode(secret).decode()


SECRETS = [form for each in (PASSWORD, KEY_PASSWORD, WRONG, SETTING, FIELD) for form in forms(each.encode())]
SECRETS += forms(KEY)


def clean(text: str, where: str) -> None:
    for secret in SECRETS:
        at = text.find(secret)
        assert at < 0, f"{where}: …{text[max(at - 200, 0) : at + 80]}…"


class Settings(BaseSettings):
    api_key: SecretStr = SecretStr(SETTING)


class Bank:
    """What is made with a secret."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings


class Ordered(Start):
    card: str


class Paid(End): ...


def shop(name: str) -> Choreography:
    made = Choreography(name, codec=Chain(Compress(), Encrypt({"k1": KEY}, active="k1")))

    @made.provide
    def settings() -> Settings:
        return Settings()

    @made.provide
    async def bank(settings: Settings) -> AsyncIterator[Bank]:
        yield Bank(settings)

    @made.reactor(retry=Retry(attempts=2, first="0s"))
    async def pay(ordered: Ordered, bank: Bank, settings: Settings) -> Paid:
        if ordered.card == FIELD:
            raise GiveUp("the card was refused")
        return Paid()

    return made


@pytest.fixture
def everything_logged(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """All loggers at their finest, the client's too."""
    caplog.set_level(logging.DEBUG)
    client = logging.getLogger("aiokafka")
    before = client.level
    client.setLevel(logging.DEBUG)
    yield caplog
    client.setLevel(before)


@pytest.fixture
def urls(second_broker: KafkaBroker, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Store URLs with secrets in them: a good one, and ones that cannot work."""
    monkeypatch.setenv("FARANDOLE_KAFKA_KEY_PASSWORD", KEY_PASSWORD)
    port = {name: listener.port for name, listener in second_broker.listeners.items()}
    files = f"ca={second_broker.home / 'ca.pem'}&cert={second_broker.home / 'alice.pem'}"
    return {
        "good": f"kafka://alice:{PASSWORD}@127.0.0.1:{port['SECURE']}?{files}",
        "wrong password": f"kafka://alice:{WRONG}@127.0.0.1:{port['SECURE']}?{files}",
        "plain": f"kafka://alice:{WRONG}@127.0.0.1:{port['SECURE']}?{files}&sasl=PLAIN",
        "nobody there": f"kafka://alice:{PASSWORD}@127.0.0.1:1?{files}&request_timeout=1",
        "no tls there": f"kafka://alice:{PASSWORD}@{second_broker.bootstrap}?{files}&request_timeout=1",
        "unknown option": f"kafka://alice:{PASSWORD}@127.0.0.1:{port['SECURE']}?{files}&sesion=1",
        "unprotected": f"kafka://alice:{PASSWORD}@broker.example?security=SASL_PLAINTEXT",
        "no port": f"kafka://alice:{PASSWORD}@127.0.0.1:{PASSWORD}",
        "cut in two": f"kafka://alice:{PASSWORD}?x@127.0.0.1",
        "no such store": f"kafak://alice:{PASSWORD}@127.0.0.1",
    }


async def test_a_worker_and_a_client_at_work_show_no_secret(
    urls: dict[str, str], everything_logged: pytest.LogCaptureFixture
) -> None:
    choreography, port = shop(f"shop_{secrets.token_hex(6)}"), free_port()
    async with choreography.work(urls["good"], metrics_port=port, partitions=2) as client:
        run = await client.start(Ordered(card=FIELD))
        with pytest.raises(RunFailed) as failed:
            await run.result(Paid, timeout="60s")
        await (await client.start(Ordered(card="another"))).result(Paid, timeout="60s")
        clean("".join(traceback.format_exception(failed.value)), "a failed run")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            clean(answer.read().decode(), "metrics")
        parts = ("farandole.", "aiokafka.", __name__)
        ours = [o for o in gc.get_objects() if str(type(o).__module__).startswith(parts)]
        assert len(ours) > 100
        for each in ours:
            if not isinstance(each, type | Ordered):
                clean(f"{each!r} {each}", type(each).__qualname__)
        store = client.store
        for partition in range(2):
            for record in await whole(store, partition):
                clean(repr(record), "the log")
        clean(repr(await store.catalogue.load()), "the catalogue")
    clean(everything_logged.text, "logs")
    assert "aiokafka" in {record.name.partition(".")[0] for record in everything_logged.records}


async def test_what_goes_wrong_repeats_no_secret(
    urls: dict[str, str], everything_logged: pytest.LogCaptureFixture
) -> None:
    name = f"shop_{secrets.token_hex(6)}"
    for why, url in urls.items():
        if why == "good":
            continue
        with pytest.raises(StoreError) as refused:
            await connect(url, name)
        clean("".join(traceback.format_exception(refused.value)) + repr(refused.value), why)
        if url.startswith("kafka:"):
            clean(repr(await diagnose(url, name)), f"doctor: {why}")
    clean(everything_logged.text, "logs")


@pytest.mark.parametrize("why", ["good", "wrong password", "unknown option", "no port", "cut in two", "no such store"])
def test_no_command_shows_a_secret(urls: dict[str, str], why: str) -> None:
    commands = (["doctor", "-c", "shop"], ["runs", "-c", "shop"], ["--debug", "show", "run", "-c", "shop"])
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "farandole.cli", *words], env={**os.environ, "FARANDOLE_STORE": urls[why]},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        for words in commands
    ]  # fmt: skip
    for words, process in zip(commands, running, strict=True):
        said, _ = process.communicate(timeout=60)
        clean(said, f"{words[0]}, {why}")
        assert said
