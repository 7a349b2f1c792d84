"""`start` and `send` put events into the log, and say what became of them."""

import io
from pathlib import Path

import pytest

from .conftest import Cli, Shop


def start(cli: Cli, shop: Shop, item: str, run_id: str, *more: str) -> int:
    words = ("start", "shop_app:shop", "Ordered", f'{{"item": "{item}"}}', "--run-id", run_id, *more)
    return cli(*words, "--store", shop.store).code


def test_a_run_is_started_and_its_result_waited_for(cli: Cli, shop: Shop) -> None:
    words = ("start", "shop_app:shop", "Ordered", '{"item": "book"}', "--wait", "--json", "--store", shop.store)
    said = cli(*words)
    assert said.code == 0
    answer = said.json
    assert answer["created"] is True
    assert answer["end"] == "shop.Sent"
    assert answer["result"] == {"item": "book"}


def test_the_same_id_twice_makes_one_run(cli: Cli, shop: Shop) -> None:
    assert start(cli, shop, "book", "twice", "--wait") == 0
    said = cli("start", "shop_app:shop", "Ordered", '{"item": "x"}', "--run-id", "twice", "--json", "-s", shop.store)
    assert said.code == 0
    assert said.json == {"run": "twice", "created": False}


def test_people_are_told_the_id_and_the_result(cli: Cli, shop: Shop) -> None:
    said = cli(
        "start", "shop_app:shop", "shop.Ordered", '{"item": "pen"}', "--run-id", "told", "--wait", "-s", shop.store
    )
    assert said.out.splitlines() == ["told  created", "Sent  item=pen"]


def test_fields_come_from_a_file(cli: Cli, shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "order.json").write_text('{"item": "from a file"}')
    said = cli("start", "shop_app:shop", "Ordered", f"@{tmp_path}/order.json", "--wait", "--json", "-s", shop.store)
    assert said.json["result"] == {"item": "from a file"}


def test_fields_come_from_stdin(cli: Cli, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO('{"item": "from stdin"}'))
    said = cli("start", "shop_app:shop", "Ordered", "-", "--wait", "--json", "-s", shop.store)
    assert said.json["result"] == {"item": "from stdin"}


def test_a_failed_run_is_code_1_and_names_the_cure(cli: Cli, shop: Shop) -> None:
    said = cli("start", "shop_app:shop", "Ordered", '{"item": "stolen"}', "--wait", "-s", shop.store)
    assert said.code == 1
    assert "the card is stolen" in said.err
    assert "farandole retry" in said.err
    assert said.err.count("\n") == 1


def test_a_result_that_does_not_come_in_time_is_code_1(cli: Cli, shop: Shop) -> None:
    said = cli("start", "shop_app:shop", "GiftOrdered", '{"to": "Bo"}', "--timeout", "300ms", "-s", shop.store)
    assert said.code == 1
    assert "it is waiting" in said.err


def test_an_app_can_be_named_by_its_file(cli: Cli, shop: Shop) -> None:
    said = cli(
        "start", "./shop_app.py:shop", "Ordered", '{"item": "x"}', "--run-id", "by-file", "--json", "-s", shop.store
    )
    assert said.json["run"] == "by-file"


def test_the_store_comes_from_the_environment(cli: Cli, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FARANDOLE_STORE", shop.store)
    assert cli("start", "shop_app:shop", "Ordered", '{"item": "x"}').code == 0


def test_a_run_id_that_is_none_is_told(cli: Cli, shop: Shop) -> None:
    said = cli("start", "shop_app:shop", "Ordered", '{"item": "x"}', "--run-id", "", "-s", shop.store)
    assert said.code == 2
    assert "1 to 255 bytes" in said.err


def test_a_signal_moves_a_waiting_run(cli: Cli, shop: Shop) -> None:
    assert cli("start", "shop_app:shop", "GiftOrdered", '{"to": "Bo"}', "--run-id", "gift", "-s", shop.store).code == 0
    assert cli("status", "shop_app:shop", "gift", "-s", shop.store).code == 0
    said = cli("send", "shop_app:shop", "gift", "Wished", '{"words": "hi"}', "--json", "-s", shop.store)
    assert said.json == {"run": "gift", "sent": "Wished"}
    followed = cli("tail", "shop_app:shop", "gift", "--json", "-s", shop.store)
    assert followed.lines[-1]["data"] == {"item": "Bo: hi"}


def test_a_signal_to_no_run_is_code_3(cli: Cli, shop: Shop) -> None:
    said = cli("send", "shop_app:shop", "nobody", "Wished", '{"words": "hi"}', "-s", shop.store)
    assert said.code == 3
    assert "has no run 'nobody'" in said.err


def test_a_signal_to_a_closed_run_is_code_4(cli: Cli, shop: Shop) -> None:
    start(cli, shop, "book", "closed", "--wait")
    cli("tail", "shop_app:shop", "closed", "-s", shop.store)
    said = cli("send", "shop_app:shop", "closed", "Wished", '{"words": "hi"}', "-s", shop.store)
    assert said.code == 4
    assert said.err.count("\n") == 1


def test_a_log_that_was_not_there_is_told_of(cli: Cli, tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/tlaks.db"
    words = ("start", "shop_app:shop", "Ordered", '{"item": "x"}', "--json", "-s", store)
    said = cli(*words)
    assert said.err == f"made a new log at {store}, 16 partitions\n"
    assert said.json["created"]
    assert not cli(*words).err
