"""`retry`, `cancel`, `pause`, `resume` and `retire`: what people ask for, and what became of it."""

from pathlib import Path

from .conftest import Cli, Shop, until, working

ORDERED = ("start", "shop_app:shop", "Ordered")


def test_a_parked_step_is_retried(cli: Cli, shop: Shop) -> None:
    assert cli(*ORDERED, '{"item": "broken"}', "--run-id", "mend-me", "--wait", "-s", shop.store).code == 1
    (shop.markers / "mended").touch()
    said = cli("retry", "-c", "shop", "mend-me", "--why", "new till", "--by", "ann", "--json", "-s", shop.store)
    assert said.code == 0
    assert said.json["steps"] == 1
    followed = cli("tail", "-c", "shop", "mend-me", "--json", "-s", shop.store).lines
    (shop.markers / "mended").unlink()
    [retry] = [line for line in followed if line["kind"] == "retry"]
    assert retry["data"]["reason"] == "new till"
    assert retry["data"]["by"] == "ann"


def test_nothing_to_retry_is_code_4(cli: Cli, shop: Shop) -> None:
    cli(*ORDERED, '{"item": "book"}', "--run-id", "fine", "--wait", "-s", shop.store)
    said = cli("retry", "-c", "shop", "fine", "-s", shop.store)
    assert said.code == 4
    assert "nothing to retry" in said.err


def test_a_run_is_paused_resumed_and_cancelled_once(cli: Cli, shop: Shop) -> None:
    cli("start", "shop_app:shop", "GiftOrdered", '{"to": "Di"}', "--run-id", "held", "-s", shop.store)
    run = ("-c", "shop", "held", "-s", shop.store)
    assert cli("pause", *run, "--json").json["status"] == "paused"
    assert cli("pause", *run).code == 4
    assert cli("resume", *run).code == 0
    assert cli("cancel", *run, "--why", "not wanted", "--json").json["status"] == "cancelled"
    again = cli("cancel", *run)
    assert again.code == 4
    assert "is cancelled already" in again.err
    assert "not wanted" in cli("show", *run).out


def test_a_reactor_is_retired_and_what_it_owes_dropped(cli: Cli, tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/retire.db"
    with working(store, SHOP_MARKERS=str(tmp_path)) as worker:
        cli(*ORDERED, '{"item": "slow"}', "--run-id", "slow", "-s", store)
        until(lambda: cli("status", "-c", "shop", "slow", "--json", "-s", store).json["owed"])
        worker.kill()
        worker.wait()
    unknown = cli("retire", "-c", "shop", "pya", "-s", store)
    assert unknown.code == 3
    assert "there are pay, send, wrap" in unknown.err
    done = cli("retire", "shop_app:shop", "pay", "--drop", "--yes", "--json", "-s", store)
    assert done.code == 0
    assert done.json["owed"] == 1
    assert done.json["partitions"] == 16
    assert done.json["still_declared"] is True
    assert cli("status", "-c", "shop", "slow", "--json", "-s", store).json["owed"] == []
    assert "nothing to do" in cli("retire", "-c", "shop", "pay", "-s", store).out


def test_a_reactor_is_stopped_and_goes_on(cli: Cli, shop: Shop) -> None:
    stopped = cli("pause", "-c", "shop", "--reactor", "send", "--why", "no vans", "--json", "-s", shop.store)
    assert stopped.code == 0
    assert stopped.json["partitions"] == 16
    assert "nothing to do" in cli("pause", "-c", "shop", "--reactor", "send", "-s", shop.store).out
    cli(*ORDERED, '{"item": "book"}', "--run-id", "no-van", "-s", shop.store)
    until(lambda: "send (stopped)" in cli("status", "-c", "shop", "no-van", "-s", shop.store).out)
    assert "resume --reactor send" in cli("doctor", "-c", "shop", "-s", shop.store).out
    assert cli("resume", "-c", "shop", "--reactor", "send", "--json", "-s", shop.store).json["owed"] == 1
    until(lambda: cli("status", "-c", "shop", "no-van", "--json", "-s", shop.store).json["status"] == "completed")
    assert cli("resume", "-c", "shop", "--reactor", "sned", "-s", shop.store).code == 3


def test_everything_is_stopped_and_goes_on(cli: Cli, shop: Shop) -> None:
    assert cli("pause", "shop_app:shop", "--all", "-s", shop.store).code == 0
    assert cli("pause", "shop_app:shop", "--reactor", "pay", "-s", shop.store).code == 0
    said = cli("resume", "shop_app:shop", "--all", "-s", shop.store)
    assert "Still stopped: pay" in said.out
    assert cli("resume", "shop_app:shop", "--reactor", "pay", "-s", shop.store).code == 0


def test_a_switch_is_of_a_reactor_or_of_all_and_of_no_run(cli: Cli, shop: Shop) -> None:
    for words in (("--all", "--reactor", "pay"), ("shop_app:shop", "a-run", "--all"), ("--reactor", "")):
        assert cli("pause", "-c", "shop", *words, "-s", shop.store).code == 2


def test_many_runs_are_cancelled_at_once(cli: Cli, shop: Shop) -> None:
    for n in range(3):
        cli("start", "shop_app:shop", "GiftOrdered", '{"to": "Di"}', "--run-id", f"gift-{n}", "-s", shop.store)
    assert cli("cancel", "-c", "shop", "--status", "waiting", "-s", shop.store).code == 2
    said = cli("cancel", "-c", "shop", "--all", "--status", "waiting", "--yes", "--json", "-s", shop.store)
    assert said.code == 0
    assert said.json["runs"] >= 3
    assert cli("status", "-c", "shop", "gift-1", "--json", "-s", shop.store).json["status"] == "cancelled"
