"""The URL of a schema registry: what is refused and why, and secrets that are never shown."""

from pathlib import Path

import pytest

from farandole.schemas import RegistryMisconfigured
from farandole.schemas.registry import ConfluentRegistry, read_registry

LOGIN = {"FARANDOLE_REGISTRY_USERNAME": "alice", "FARANDOLE_REGISTRY_PASSWORD": "s3cret-pa55"}


def test_a_url_is_shown_without_its_end() -> None:
    assert read_registry("http://localhost:8081/apis/ccompat/v7/?timeout=2", {}).url == (
        "http://localhost:8081/apis/ccompat/v7"
    )


@pytest.mark.parametrize(
    ("url", "env", "cure"),
    [
        ("", {}, "write http(s)://host:8081"),
        ("registry:8081", {}, "write http(s)://host:8081"),
        ("ftp://registry", {}, "write http(s)://host:8081"),
        ("http://localhost:port", {}, "write http(s)://host:8081"),
        ("http://localhost/#x", {}, "write http(s)://host:8081"),
        ("http://localhost?tiemout=3", {}, "no option tiemout: it knows ca, cert"),
        ("http://localhost?timeout=long", {}, "not a number of seconds"),
        ("http://localhost?timeout=0", {}, "not a number of seconds"),
        ("http://localhost?insecure=perhaps", {}, "neither true nor false"),
        ("https://localhost?key=k.pem", {}, "needs cert="),
        ("http://registry.example:8081", {}, "use https://, or say ?insecure=true"),
        ("http://10.0.0.7:8081", LOGIN, "use https://, or say ?insecure=true"),
        ("http://localhost", {"FARANDOLE_REGISTRY_USERNAME": "alice"}, "half a login"),
        ("http://localhost", {**LOGIN, "FARANDOLE_REGISTRY_TOKEN": "t"}, "a login and a token"),
        ("http://localhost", {"FARANDOLE_REGISTRY_PASSWORD_FILE": "/nowhere"}, "cannot be read"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_cure(url: str, env: dict[str, str], cure: str) -> None:
    with pytest.raises(RegistryMisconfigured) as refused:
        read_registry(url, env)
    assert cure in str(refused.value)


def test_another_machine_is_asked_without_tls_only_if_that_is_said() -> None:
    assert read_registry("http://registry:8081?insecure=true", {}).insecure


def test_a_password_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("from a file\n")
    env = {
        "FARANDOLE_REGISTRY_USERNAME": "alice",
        "FARANDOLE_REGISTRY_PASSWORD_FILE": str(tmp_path / "password"),
    }
    settings = read_registry("https://registry.example", env)
    assert settings.password is not None
    assert settings.password.get_secret_value() == "from a file"


@pytest.mark.parametrize("url", ["https://r.example", "https://bob:s3cret-pa55@r.example:8081"])
def test_secrets_are_never_shown(url: str) -> None:
    settings = read_registry(url, LOGIN)
    assert settings.password is not None
    for shown in (repr(settings), str(settings), settings.url, str(vars(settings))):
        assert "s3cret" not in shown
        assert "bob" not in shown


@pytest.mark.parametrize("end", ["?x=1", ":nan", "#x", "?timeout=x"])
def test_a_url_that_is_refused_is_not_repeated_with_its_secret(end: str) -> None:
    with pytest.raises(RegistryMisconfigured) as refused:
        read_registry(f"https://bob:s3cret-pa55@r.example{end}", {})
    assert "s3cret" not in str(refused.value)


def test_files_that_cannot_be_read_are_named_with_the_options() -> None:
    with pytest.raises(RegistryMisconfigured, match="ca=, cert= and key="):
        ConfluentRegistry(read_registry("https://r.example?ca=/nowhere/ca.pem", {}))
