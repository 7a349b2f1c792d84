"""Opening a store by its URL: names, URLs, what is created, and what stays secret."""

import pytest

from farandole.eventstore import StoreMisconfigured, check_name, connect, without_secrets
from farandole.eventstore.memory import forget


@pytest.mark.parametrize("name", ["a", "0", "orders", "shop.orders-2_x", "a" * 100])
def test_these_can_name_a_choreography(name: str) -> None:
    check_name(name)


@pytest.mark.parametrize("name", ["", "Orders", "or ders", ".orders", "orders-", "é", "a/b", "a" * 101, "a\n"])
async def test_these_cannot_name_a_choreography(name: str) -> None:
    with pytest.raises(StoreMisconfigured, match="cannot name a choreography: use"):
        await connect("memory://", name)


@pytest.mark.parametrize(
    "url", ["redis://localhost", "localhost:9092", "orders.db", "sqlite", "://", "memory", "kafka//host"]
)
async def test_an_unknown_url_is_answered_with_those_that_are_known(url: str) -> None:
    with pytest.raises(StoreMisconfigured, match=r"kafka://.*sqlite:///.*memory://"):
        await connect(url, "dance")


@pytest.mark.parametrize("url", ["sqlite://log.db", "sqlite:", "sqlite:///", "sqlite:log.db", "sqlite:////dir/"])
async def test_an_sqlite_url_without_a_file_is_explained(url: str) -> None:
    with pytest.raises(StoreMisconfigured, match=r"does not name a file; write sqlite:///relative\.db"):
        await connect(url, "dance")


async def test_sqlite_in_memory_is_answered_with_memory() -> None:
    with pytest.raises(StoreMisconfigured, match="memory://"):
        await connect("sqlite:///:memory:", "dance")


@pytest.mark.parametrize("url", ["memory://a/b", "memory:///a"])
async def test_a_store_in_memory_has_a_plain_name(url: str) -> None:
    with pytest.raises(StoreMisconfigured, match="plain name"):
        await connect(url, "dance")


async def test_the_environment_names_the_store_if_nobody_else_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FARANDOLE_STORE", "memory://from-the-environment")
    async with await connect(None, "dance") as store:
        assert store.url == "memory://from-the-environment"
    forget("from-the-environment")


async def test_no_store_at_all_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FARANDOLE_STORE", raising=False)
    with pytest.raises(StoreMisconfigured, match="set FARANDOLE_STORE"):
        await connect(None, "dance")


@pytest.mark.parametrize("partitions", [0, -1, 10_001])
async def test_an_impossible_number_of_partitions_is_refused(partitions: int) -> None:
    with pytest.raises(StoreMisconfigured, match="between 1 and 10,000"):
        await connect("memory://", "dance", partitions=partitions)


async def test_a_store_in_memory_has_its_log_to_itself_unless_it_has_a_name() -> None:
    one, two = await connect("memory://", "dance"), await connect("memory://", "dance")
    await one.catalogue.put(b"a", b"1")
    assert await two.catalogue.load() == {}


async def test_a_store_in_memory_that_is_not_there_is_not_made_unless_asked() -> None:
    with pytest.raises(StoreMisconfigured, match="create=True"):
        await connect("memory://nowhere", "dance", create=False)


async def test_a_store_in_memory_that_is_there_is_opened_as_it_is_without_create() -> None:
    await connect("memory://here", "dance", partitions=3)
    assert (await connect("memory://here", "dance", create=False)).partitions == 3
    forget("here")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("kafka://h:9092", "kafka://h:9092"),
        ("kafka://h:9092,i:9093?security=ssl&password=secret", "kafka://h:9092,i:9093"),
        ("kafka://user:secret@h:9092,i:9093?x=1", "kafka://h:9092,i:9093"),
        ("kafka://user:sec?ret@h:9092", "kafka://…"),
        ("kafka://user:sec#ret@h:9092", "kafka://…"),
        ("kafka://user:sec@ret@h:9092", "kafka://h:9092"),
        ("kafka:/user:secret@h:9092", "kafka://h:9092"),
        ("kafka://h:9092?password=sec@ret", "kafka://h:9092"),
        ("user:secret@h:9092", "user:h:9092"),
        ("sqlite:////home/me@work/log.db?session=1", "sqlite:////home/me@work/log.db"),
        ("memory://name", "memory://name"),
    ],
)
def test_secrets_are_not_shown(url: str, shown: str) -> None:
    assert without_secrets(url) == shown


async def test_an_error_about_a_url_holds_no_secret() -> None:
    with pytest.raises(StoreMisconfigured) as refused:
        await connect("mqtt://user:secret@host/topic?password=secret", "dance")
    assert "secret" not in str(refused.value)
