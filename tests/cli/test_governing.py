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
