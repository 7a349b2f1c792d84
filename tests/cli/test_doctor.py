"""`doctor` says what is wrong, how bad that is, and what to do."""

import asyncio
import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from tests.cli.apps import split_app

from farandole.eventstore import SystemClock, connect
from farandole.reactors.contract import contracts_of
from farandole.reactors.service import open_log
from farandole.schemas.envelope import Kind

from .conftest import Cli, Said, Shop


def findings(said: Said) -> dict[str, Any]:
    return {f["check"]: f for f in said.json["findings"]}


def test_a_healthy_log_is_code_0(cli: Cli, shop: Shop) -> None:
    cli("start", "shop_app:shop", "Ordered", '{"item": "book"}', "--wait", "-s", shop.store)
    said = cli("doctor", "shop_app:shop", "--json", "-s", shop.store)
    assert said.code == 0
    found = findings(said)
    assert "aiokafka" in found["versions"]["cause"]
    assert found["service counter"]["cause"] == "serves pay, send, wrap; 1 process at work"
    assert found["lock"]["severity"] == "ok"
    assert "16 partitions" in found["log"]["cause"]
    assert found["app"]["severity"] == "ok"


def test_a_store_can_be_looked_at_without_a_choreography(cli: Cli, shop: Shop) -> None:
    said = cli("doctor", "--json", "-s", shop.store)
    assert said.code == 0
    assert findings(said)["log"]["cure"] == "name an app, or --choreography NAME"


def test_an_unreachable_broker_is_an_error_with_a_cure(cli: Cli) -> None:
    said = cli("doctor", "-c", "shop", "--json", "-s", "kafka://localhost:1")
    assert said.code == 1
    assert findings(said)["broker"]["severity"] == "error"
    assert findings(said)["broker"]["cure"]


def test_a_file_of_something_else_is_an_error(cli: Cli, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "other.db") as other:
        other.execute("CREATE TABLE t (x)")
    other.close()
    said = cli("doctor", "-c", "shop", "--json", "-s", f"sqlite:///{tmp_path}/other.db")
    assert said.code == 1
    assert "something else" in findings(said)["file"]["cause"]


def test_a_held_write_lock_is_an_error(cli: Cli, tmp_path: Path, shop: Shop) -> None:
    store = f"sqlite:///{tmp_path}/held.db"
    cli("start", "shop_app:shop", "Ordered", '{"item": "x"}', "-s", store)
    holder = sqlite3.connect(tmp_path / "held.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    said = cli("doctor", "--json", "-s", f"{store}?patience=0.2")
    holder.close()
    assert said.code == 1
    assert findings(said)["lock"]["severity"] == "error"


def test_less_durability_is_a_warning(cli: Cli, shop: Shop) -> None:
    said = cli("doctor", "--json", "-s", f"{shop.store}?synchronous=normal")
    assert said.code == 0
    assert findings(said)["synchronous"]["severity"] == "warning"


def test_a_log_that_nobody_serves_is_a_warning(cli: Cli, tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/unserved.db"
    cli("start", "shop_app:shop", "Ordered", '{"item": "x"}', "-s", store)
    said = cli("doctor", "shop_app:shop", "--json", "-s", store)
    assert said.code == 0
    assert findings(said)["services"]["severity"] == "warning"


def test_reactors_that_are_served_elsewhere_are_an_error(cli: Cli, shop: Shop) -> None:
    cli("start", "shop_app:shop", "Ordered", '{"item": "book"}', "--wait", "-s", shop.store)
    said = cli("doctor", "shop_app:other", "--json", "-s", shop.store)
    assert said.code == 1
    assert "pay by counter" in findings(said)["app"]["cause"]


def test_a_service_without_a_process_is_a_warning_with_its_cure(cli: Cli, tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/idle.db"
    publish(store, *[split_app.one] * 3)
    said = cli("doctor", "-c", "split", "--json", "-s", store)
    assert said.code == 0
    found = findings(said)["service one"]
    assert (found["severity"], found["cause"]) == ("warning", "serves end; no process is at work")
    assert "farandole work" in found["cure"]


def publish(store: str, *services: Any) -> None:
    """Contracts in partition 0 by the first service, in partition 1 by the second, …, and nowhere else."""

    async def write() -> None:
        async with await connect(store, "split", partitions=3) as log:
            for partition, choreography in enumerate(services):
                scribe = await open_log(choreography, log, choreography.service, SystemClock())
                made = contracts_of(choreography.reactors, scribe.types, service=choreography.service)
                contents = [contract.content for _, contract in made.values()]
                await log.append(partition, scribe.control(Kind.CONTRACT, contents))

    asyncio.run(write())


@pytest.mark.parametrize("app", ["split_app:one", "split_app:two"])
def test_a_reactor_that_two_services_have_split_between_them_is_an_error_with_its_cure(
    cli: Cli, tmp_path: Path, app: str
) -> None:
    store = f"sqlite:///{tmp_path}/split.db"
    publish(store, split_app.one, split_app.two, split_app.one)
    said = cli("doctor", app, "--json", "-s", store)
    assert said.code == 1
    assert findings(said)["reactor end"]["cause"] == "served by one in 2, by two in 1 partitions"
    assert "--take-over" in findings(said)["reactor end"]["cure"]
    assert findings(said)["app"]["severity"] == "error"


def test_contracts_that_are_in_force_in_some_partitions_only_are_a_warning_with_its_cure(
    cli: Cli, tmp_path: Path
) -> None:
    store = f"sqlite:///{tmp_path}/half.db"
    publish(store, split_app.one)
    found = findings(cli("doctor", "-c", "split", "--json", "-s", store))
    assert found["contracts"]["cause"] == "of one, not in force in every partition: end"
    assert "start workers of one" in found["contracts"]["cure"]


def test_a_file_that_may_not_be_written_is_told_as_such(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*args: Any, **more: Any) -> None:
        raise sqlite3.OperationalError("attempt to write a readonly database")

    (tmp_path / "mine.db").touch()
    monkeypatch.setattr(sqlite3, "connect", fails)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    found = findings(cli("doctor", "--json", "-s", f"sqlite:///{tmp_path}/mine.db"))
    assert "cannot be written" in found["file"]["cause"]
    assert "write permission" in found["file"]["cure"]
