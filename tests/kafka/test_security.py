"""TLS and logins against a broker that demands both; secrets stay where they are."""

import logging
import traceback

import pytest

from controls import some_records
from farandole.eventstore import StoreError, StoreMisconfigured
from farandole.eventstore.kafka import diagnose, open_kafka
from farandole.testing.broker import KafkaBroker

from .conftest import Open
from .tls import PASSWORD
from .waiting import whole, within

pytestmark = pytest.mark.kafka


@pytest.fixture
def secure(second_broker: KafkaBroker) -> str:
    return f"127.0.0.1:{second_broker.listeners['SECURE'].port}"


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
