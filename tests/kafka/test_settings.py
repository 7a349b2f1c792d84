"""Store URLs: defaults that are safe, errors that name the cure, secrets that are never shown."""

from pathlib import Path

import pytest

from farandole.eventstore import StoreMisconfigured
from farandole.eventstore.kafka import KafkaSettings, read_settings

LOGIN = {"FARANDOLE_KAFKA_USERNAME": "alice", "FARANDOLE_KAFKA_PASSWORD": "s3cret-pa55"}


def test_the_least_url_is_a_broker_on_this_machine() -> None:
    settings = read_settings("kafka://localhost", {})
    assert settings == KafkaSettings(("localhost:9092",))
    assert settings.url == "kafka://localhost:9092"


def test_several_servers_and_options_are_read_and_shown() -> None:
    url = "kafka://127.0.0.1:9092,[::1]:9093?session=10&patience=2.5&fetch_bytes=4096"
    settings = read_settings(url, {})
    assert settings.servers == ("127.0.0.1:9092", "[::1]:9093")
    assert (settings.session, settings.patience, settings.fetch_bytes) == (10, 2.5, 4096)
    assert read_settings(settings.url, {}) == settings


@pytest.mark.parametrize(
    ("url", "env", "security"),
    [
        ("kafka://127.0.0.1", {}, "PLAINTEXT"),
        ("kafka://127.0.0.1", LOGIN, "SASL_SSL"),
        ("kafka://alice:pw@broker.example", {}, "SASL_SSL"),
        ("kafka://broker.example?ca=ca.pem", {}, "SSL"),
        ("kafka://broker.example?security=ssl", {}, "SSL"),
        ("kafka://kafka:9092?insecure=true", {}, "PLAINTEXT"),
        ("kafka://localhost?security=sasl_plaintext&sasl=plain", LOGIN, "SASL_PLAINTEXT"),
    ],
)
def test_security_is_by_default_what_is_given_to_secure_it_with(url: str, env: dict[str, str], security: str) -> None:
    assert read_settings(url, env).security == security


@pytest.mark.parametrize(
    ("url", "env", "cure"),
    [
        ("kafka://", {}, "write kafka://host:port"),
        ("kafka://host/path", {}, "write kafka://host:port"),
        ("kafka://host:0", {}, "1 to 65535"),
        ("kafka://host:port", {}, "host:port"),
        ("kafka://localhost?sessoin=3", {}, "no option sessoin: it knows security, sasl"),
        ("kafka://localhost?session=long", {}, "give seconds"),
        ("kafka://localhost?insecure=maybe", {}, "neither true nor false"),
        ("kafka://localhost?security=tls", {}, "use one of PLAINTEXT, SSL"),
        ("kafka://localhost?sasl=MAGIC", LOGIN, "use one of SCRAM-SHA-512"),
        ("kafka://localhost?sasl=OAUTHBEARER", LOGIN, "use one of SCRAM-SHA-512"),
        ("kafka://localhost?security=SASL_SSL", {}, "set FARANDOLE_KAFKA_USERNAME"),
        ("kafka://localhost?security=PLAINTEXT", LOGIN, "leave security= out"),
        ("kafka://localhost?key=k.pem", {}, "needs cert="),
        ("kafka://kafka:9092", {}, "insecure=true"),
        ("kafka://localhost,10.0.0.1", {}, "unprotected to 10.0.0.1:9092"),
        ("kafka://broker.example?security=SASL_PLAINTEXT", LOGIN, "insecure=true"),
        ("kafka://localhost", {"FARANDOLE_KAFKA_PASSWORD_FILE": "/nowhere"}, "cannot be read"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_cure(url: str, env: dict[str, str], cure: str) -> None:
    with pytest.raises(StoreMisconfigured) as refused:
        read_settings(url, env)
    assert cure in str(refused.value)


def test_a_password_may_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("from a file\n")
    settings = read_settings(
        "kafka://b.example", {"FARANDOLE_KAFKA_USERNAME": "alice", "FARANDOLE_KAFKA_PASSWORD_FILE": str(file)}
    )
    assert settings.password is not None
    assert settings.password.get_secret_value() == "from a file"


@pytest.mark.parametrize("url", ["kafka://b.example", "kafka://bob:s3cret-pa55@b.example:9092"])
def test_secrets_are_never_shown(url: str) -> None:
    settings = read_settings(url, LOGIN)
    assert settings.password is not None
    for shown in (repr(settings), str(settings), settings.url, str(vars(settings))):
        assert "s3cret" not in shown
        assert "bob" not in shown


@pytest.mark.parametrize("tail", ["?x=1", "/path", ":nan", "?session=x"])
def test_a_url_that_is_refused_is_not_repeated_with_its_secret(tail: str) -> None:
    with pytest.raises(StoreMisconfigured) as refused:
        read_settings(f"kafka://bob:s3cret-pa55@b.example{tail}", {})
    assert "s3cret" not in str(refused.value)


def test_files_that_cannot_be_read_are_named_with_the_options() -> None:
    settings = read_settings("kafka://b.example?ca=/nowhere/ca.pem", {})
    with pytest.raises(StoreMisconfigured, match="ca=, cert= and key="):
        settings.client_options("test")


def test_credentials_with_reserved_characters_are_unquoted() -> None:
    settings = read_settings("kafka://al%40ice:p%2Fw%3A@b.example", {})
    assert settings.username is not None and settings.password is not None
    assert settings.username.get_secret_value() == "al@ice"
    assert settings.password.get_secret_value() == "p/w:"
