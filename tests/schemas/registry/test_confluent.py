"""What is asked of a registry, and every way in which it may not answer."""

import asyncio
import builtins
from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from farandole.schemas import RegistryMisconfigured, RegistryRefused, RegistryUnavailable, SchemaText
from farandole.schemas.registry import ConfluentRegistry, RegistrySettings
from registry_server import FakeRegistry, said

PAID = SchemaText("orders.Paid", b"paid----", '{"type":"record","name":"orders.Paid","fields":[]}')


@pytest.fixture
async def server() -> AsyncIterator[FakeRegistry]:
    async with FakeRegistry() as server:
        yield server


@pytest.fixture
async def registry(server: FakeRegistry) -> AsyncIterator[ConfluentRegistry]:
    registry = ConfluentRegistry(server.settings)
    yield registry
    await registry.close()


async def test_a_schema_is_registered_under_its_record_s_name(
    server: FakeRegistry, registry: ConfluentRegistry
) -> None:
    assert await registry.register(PAID) == await registry.register(PAID) == 1
    assert server.asked == ["POST /subjects/orders.Paid/versions"] * 2
    assert await registry.find(PAID) == 1
    assert await registry.schema(1) == PAID.text


async def test_what_it_does_not_have_is_none(registry: ConfluentRegistry) -> None:
    assert await registry.find(PAID) is None
    assert await registry.schema(7) is None


async def test_a_refusal_names_the_subject_the_reason_and_the_cure(
    server: FakeRegistry, registry: ConfluentRegistry
) -> None:
    server.refused.add("orders.Paid")
    with pytest.raises(RegistryRefused) as refused:
        await registry.register(PAID)
    said = str(refused.value)
    assert f"the schema registry {server.url} refuses the schema of orders.Paid under the subject 'orders.Paid'" in said
    assert "field 'a' lost its default. Change the event" in said
    assert "curl -X PUT -H 'Content-Type: application/vnd.schemaregistry.v1+json' -d '{\"compatibility\"" in said
    assert said.endswith(f"{server.url}/config/orders.Paid")


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503])
async def test_a_server_in_trouble_may_be_asked_again(
    server: FakeRegistry, registry: ConfluentRegistry, status: int
) -> None:
    server.answer = (status, b"<html>")
    with pytest.raises(RegistryUnavailable, match=f"status {status}"):
        await registry.register(PAID)


async def test_a_registry_that_is_gone_is_unavailable(server: FakeRegistry, registry: ConfluentRegistry) -> None:
    await registry.register(PAID)
    await server.down()
    with pytest.raises(RegistryUnavailable, match="cannot be reached"):
        await registry.register(PAID)
    await server.up()
    assert await registry.register(PAID) == 1


async def test_one_that_says_nothing_is_given_its_time(server: FakeRegistry, registry: ConfluentRegistry) -> None:
    server.gate.clear()
    with pytest.raises(RegistryUnavailable, match=r"did not answer within 0\.5 s"):
        await registry.register(PAID)
    server.gate.set()


async def test_one_that_drips_is_given_no_more() -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        try:
            while True:
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.05)
        except ConnectionError:
            writer.close()

    async with await asyncio.start_server(drip, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        registry = ConfluentRegistry(RegistrySettings(f"http://127.0.0.1:{port}", timeout=0.3))
        with pytest.raises(RegistryUnavailable, match="did not answer"):
            await registry.register(PAID)
        await registry.close()


@pytest.mark.parametrize("status", [401, 403])
async def test_a_login_that_is_refused_says_where_it_comes_from(
    server: FakeRegistry, registry: ConfluentRegistry, status: int
) -> None:
    server.answer = said(status, message="go away")
    with pytest.raises(RegistryMisconfigured, match="check FARANDOLE_REGISTRY_USERNAME"):
        await registry.register(PAID)


@pytest.mark.parametrize(
    "answer",
    [
        (404, b"<html>not found</html>"),
        said(404, error_code=404, message="HTTP 404 Not Found"),
        (200, b"null"),
        (200, b"[]"),
        said(200, id="1"),
        said(200, id=-1),
        said(200, id=2**31),
        said(302, message="elsewhere"),
        (200, b"[" * 100_000),
    ],
)
async def test_what_is_no_registry_is_told_with_the_cure(
    server: FakeRegistry, registry: ConfluentRegistry, answer: tuple[int, bytes]
) -> None:
    server.answer = answer
    with pytest.raises(RegistryMisconfigured, match="Check the URL and its path"):
        await registry.register(PAID)


async def test_an_endless_answer_is_not_read_to_its_end(server: FakeRegistry, registry: ConfluentRegistry) -> None:
    server.answer = (200, bytes(2 * 1024 * 1024))
    with pytest.raises(RegistryMisconfigured, match="more than 1048576 bytes"):
        await registry.schema(1)


async def test_a_login_goes_along_and_is_said_in_no_error(server: FakeRegistry) -> None:
    registry = ConfluentRegistry(
        RegistrySettings(server.url, username=SecretStr("alice"), password=SecretStr("s3cret-pa55"), timeout=0.5)
    )
    await registry.register(PAID)
    assert server.headers["authorization"] == "Basic YWxpY2U6czNjcmV0LXBhNTU="
    server.answer = said(403, message="no")
    with pytest.raises(RegistryMisconfigured) as refused:
        await registry.register(PAID)
    assert "s3cret" not in f"{refused.value} {registry!r} {vars(registry)}"
    await registry.close()


async def test_a_token_goes_along(server: FakeRegistry) -> None:
    registry = ConfluentRegistry(RegistrySettings(server.url, token=SecretStr("t0ken"), timeout=0.5))
    await registry.register(PAID)
    assert server.headers["authorization"] == "Bearer t0ken"
    await registry.close()


async def test_nothing_of_the_environment_says_where_to_go(
    server: FakeRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    registry = ConfluentRegistry(server.settings)
    assert await registry.register(PAID) == 1
    await registry.close()


def test_without_the_extra_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def absent(name: str, *args: object, **kwargs: object) -> object:
        if name == "httpx2":
            raise ImportError(name)
        return real(name, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(RegistryMisconfigured, match=r"pip install 'farandole\[registry\]'"):
        ConfluentRegistry(RegistrySettings("http://localhost"))
