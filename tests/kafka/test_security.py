"""TLS and logins against a broker that demands them: what is wrong is refused, with its cause, and nothing falls back."""

import logging
import traceback

import pytest

from controls import some_records
from farandole.eventstore import StoreError, StoreMisconfigured
from farandole.eventstore.kafka import diagnose, open_kafka
from farandole.testing.broker import KafkaBroker

from .conftest import Open
from .tls import KEY_PASSWORD, PASSWORD
from .waiting import whole, within

pytestmark = pytest.mark.kafka


@pytest.fixture
def secure(second_broker: KafkaBroker) -> str:
    return f"127.0.0.1:{second_broker.listeners['SECURE'].port}"


@pytest.fixture
def mutual(second_broker: KafkaBroker) -> str:
    return f"127.0.0.1:{second_broker.listeners['MUTUAL'].port}"


@pytest.fixture
def ca(second_broker: KafkaBroker) -> str:
    return f"ca={second_broker.home / 'ca.pem'}"


@pytest.mark.usefixtures("login")
async def test_a_login_means_tls_and_everything_works(opened: Open, secure: str, ca: str) -> None:
    store = await opened(secure, ca)
    assert store.settings.security == "SASL_SSL"
    await store.append(0, some_records(3))
    assert len(await whole(store)) == 3
    async with store.own("kitchen") as member:
        assert len(await within(member.changed())) == 4


@pytest.mark.usefixtures("login")
async def test_a_certificate_that_nobody_vouches_for_is_refused(opened: Open, secure: str) -> None:
    with pytest.raises(StoreMisconfigured, match=r"CERTIFICATE_VERIFY_FAILED.*ca="):
        await opened(secure)


async def test_a_wrong_password_is_refused_and_not_repeated(
    secure: str, ca: str, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("aiokafka").setLevel(logging.DEBUG)
    url = f"kafka://alice:wr0ng-s3cret@{secure}?{ca}"
    with pytest.raises(StoreMisconfigured, match="refused the login") as refused:
        await open_kafka(url, name)
    findings = await diagnose(url, name)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    shown = "".join(traceback.format_exception(refused.value)) + repr(findings) + caplog.text
    assert "wr0ng-s3cret" not in shown
    assert "alice:" not in shown


@pytest.mark.usefixtures("login")
async def test_a_store_shows_no_secret(opened: Open, secure: str, ca: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    store = await opened(secure, ca)
    shown = repr(store.settings) + store.url + str(vars(store.settings)) + str(vars(store)) + caplog.text
    assert PASSWORD not in shown


@pytest.mark.usefixtures("login")
async def test_plain_text_to_a_tls_port_is_an_error_and_not_a_hang(opened: Open, secure: str) -> None:
    with pytest.raises(StoreError):
        await within(opened(secure, "security=SASL_PLAINTEXT&request_timeout=1"))


@pytest.mark.usefixtures("login")
@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "PLAIN"])
async def test_the_other_mechanisms_work_too(opened: Open, secure: str, ca: str, mechanism: str) -> None:
    store = await opened(secure, f"{ca}&sasl={mechanism}")
    await store.append(0, some_records(1))
    assert len(await whole(store)) == 1


@pytest.mark.usefixtures("login")
async def test_a_mechanism_that_the_broker_does_not_have_is_refused(
    opened: Open, second_broker: KafkaBroker, ca: str
) -> None:
    with pytest.raises(StoreMisconfigured, match=r"refused the login.*sasl="):
        await opened(f"127.0.0.1:{second_broker.listeners['REAUTH'].port}", f"{ca}&sasl=PLAIN")


async def test_somebody_unknown_is_refused(opened: Open, secure: str, ca: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FARANDOLE_KAFKA_USERNAME", "mallory")
    monkeypatch.setenv("FARANDOLE_KAFKA_PASSWORD", PASSWORD)
    with pytest.raises(StoreMisconfigured, match="refused the login"):
        await opened(secure, ca)


async def test_no_login_where_one_is_wanted_is_an_error_and_not_a_hang(opened: Open, secure: str, ca: str) -> None:
    with pytest.raises(StoreError):
        await within(opened(secure, f"{ca}&security=SSL&request_timeout=1"))


@pytest.mark.parametrize(
    ("listener", "why"),
    [("STALE", "certificate has expired"), ("ASTRAY", "IP address mismatch")],
)
async def test_a_certificate_that_is_not_good_is_refused(
    opened: Open, second_broker: KafkaBroker, ca: str, listener: str, why: str
) -> None:
    with pytest.raises(StoreMisconfigured, match=rf"{why}.*TLS could not be agreed"):
        await opened(f"127.0.0.1:{second_broker.listeners[listener].port}", ca)


async def test_a_client_shows_its_own_certificate(
    opened: Open, second_broker: KafkaBroker, mutual: str, ca: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FARANDOLE_KAFKA_KEY_PASSWORD", KEY_PASSWORD)
    store = await opened(mutual, f"{ca}&cert={second_broker.home / 'alice.pem'}")
    assert store.settings.security == "SSL"
    await store.append(0, some_records(3))
    assert len(await whole(store)) == 3
    async with store.own("kitchen") as member:
        assert len(await within(member.changed())) == 4


@pytest.mark.parametrize("cert", ["", "stranger.pem"])
async def test_a_client_without_a_good_certificate_is_refused(
    opened: Open, second_broker: KafkaBroker, mutual: str, ca: str, cert: str
) -> None:
    shown = f"{ca}&cert={second_broker.home / cert}" if cert else ca
    with pytest.raises(StoreError):
        await within(opened(mutual, f"{shown}&request_timeout=2"))


@pytest.mark.parametrize("password", ["wr0ng-s3cret", ""])
async def test_a_key_that_its_password_does_not_open_is_told_by_its_option(
    opened: Open, second_broker: KafkaBroker, mutual: str, ca: str, password: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FARANDOLE_KAFKA_KEY_PASSWORD", password)
    with pytest.raises(StoreMisconfigured, match="FARANDOLE_KAFKA_KEY_PASSWORD") as refused:
        await opened(mutual, f"{ca}&cert={second_broker.home / 'alice.pem'}")
    assert "wr0ng-s3cret" not in "".join(traceback.format_exception(refused.value))


async def test_tls_to_a_plain_port_does_not_fall_back(opened: Open, second_broker: KafkaBroker, ca: str) -> None:
    with pytest.raises(StoreError):
        await within(opened(second_broker.bootstrap, f"{ca}&request_timeout=1"))
