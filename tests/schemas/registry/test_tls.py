"""A registry over TLS: whom we trust, who we are, and what is said where that does not fit."""

import ssl
from pathlib import Path

import pytest
from tests.kafka.tls import KEY_PASSWORD, Authority

from farandole.schemas import RegistryMisconfigured, RegistryUnavailable, SchemaText
from farandole.schemas.registry import ConfluentRegistry, read_registry
from registry_server import FakeRegistry

PAID = SchemaText("orders.Paid", b"paid----", '{"type":"record","name":"orders.Paid","fields":[]}')


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def served(identity: Path, *, clients: Path | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=clients)
    context.load_cert_chain(identity)
    if clients is not None:
        context.verify_mode = ssl.CERT_REQUIRED
    return context


async def asked(server: FakeRegistry, options: str, **env: str) -> int:
    registry = ConfluentRegistry(read_registry(f"{server.url}?timeout=5&{options}", env))
    try:
        return await registry.register(PAID)
    finally:
        await registry.close()


async def test_a_registry_that_the_named_authority_vouches_for_is_asked(authority: Authority) -> None:
    async with FakeRegistry(served(authority.issue("registry"))) as server:
        assert await asked(server, f"ca={authority.file}") == 1


@pytest.mark.parametrize(
    ("days", "host", "trusted", "why"),
    [
        (1, "127.0.0.1", False, "certificate"),
        (-1, "127.0.0.1", True, "expired"),
        (1, "192.0.2.1", True, "IP address mismatch"),
    ],
)
async def test_another_is_not_and_the_cause_and_the_cure_are_said(
    authority: Authority, days: int, host: str, trusted: bool, why: str
) -> None:
    identity = authority.issue("registry", days=days, host=host)
    async with FakeRegistry(served(identity)) as server:
        with pytest.raises(RegistryMisconfigured, match=f"is not trusted .*{why}.*ca="):
            await asked(server, f"ca={authority.file}" if trusted else "")


async def test_who_has_to_show_a_certificate_shows_it(authority: Authority) -> None:
    client = authority.issue("alice", host=None, password=KEY_PASSWORD)
    identity = authority.issue("registry")
    async with FakeRegistry(served(identity, clients=authority.file)) as server:
        options = f"ca={authority.file}&cert={client}"
        assert await asked(server, options, FARANDOLE_REGISTRY_KEY_PASSWORD=KEY_PASSWORD) == 1
        with pytest.raises(RegistryUnavailable, match="cannot be reached"):
            await asked(server, f"ca={authority.file}")
        with pytest.raises(RegistryMisconfigured, match="FARANDOLE_REGISTRY_KEY_PASSWORD"):
            await asked(server, options)


async def test_a_registry_without_tls_is_no_other_with_it(authority: Authority) -> None:
    async with FakeRegistry() as server:
        registry = ConfluentRegistry(read_registry(server.url.replace("http:", "https:"), {}))
        with pytest.raises(RegistryUnavailable, match="cannot be reached"):
            await registry.register(PAID)
        await registry.close()
