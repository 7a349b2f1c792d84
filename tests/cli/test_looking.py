"""`runs`, `show`, `status` and `tail` tell what happened, with and without the app's code."""

from pathlib import Path

import pytest
from tests.cli.apps import split_app
from tests.cli.test_doctor import publish

from .conftest import Cli, Shop, until

ORDERED = ("start", "shop_app:shop", "Ordered")


def test_a_run_whose_service_has_no_process_says_so(cli: Cli, tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/idle.db"
    publish(store, *[split_app.one] * 3)
    cli("start", "split_app:one", "Begun", "--run-id", "waits", "-s", store)
    where = ("-c", "split", "-s", store)
    for said in (cli("status", *where, "waits"), cli("show", *where, "waits"), cli("runs", *where)):
        assert "end (no worker of one)" in said.out
    assert cli("status", *where, "waits", "--json").json["without_worker"] == ["one"]


@pytest.fixture
def done(cli: Cli, shop: Shop) -> str:
    """A run that is complete."""
    code = cli(*ORDERED, '{"item": "book", "count": 2}', "--run-id", "looked-at", "--wait", "-s", shop.store).code
    assert code == 0
    until(lambda: cli("status", "-c", "shop", "looked-at", "--json", "-s", shop.store).json["status"] == "completed")
    return "looked-at"


@pytest.fixture
def parked(cli: Cli, shop: Shop) -> str:
    """A run with a parked step."""
    assert cli(*ORDERED, '{"item": "stolen"}', "--run-id", "stolen", "--wait", "-s", shop.store).code == 1
    return "stolen"


def test_runs_lists_what_moved_last(cli: Cli, shop: Shop, done: str) -> None:
    said = cli("runs", "-c", "shop", "--json", "--limit", "1000", "-s", shop.store)
    [run] = [run for run in said.json["runs"] if run["run"] == done]
    assert run["status"] == "completed"
    assert run["type"] == "shop.Ordered"
    assert run["end"] == "shop.Sent"
    assert said.json["counts"]["completed"] >= 1


def test_runs_can_be_picked_by_status_and_type(cli: Cli, shop: Shop, done: str, parked: str) -> None:
    failed = cli("runs", "shop_app:shop", "--status", "failed", "--json", "-s", shop.store).json["runs"]
    assert {run["status"] for run in failed} == {"failed"}
    gifts = cli("runs", "shop_app:shop", "--type", "GiftOrdered", "--json", "-s", shop.store).json["runs"]
    assert all(run["type"] == "shop.GiftOrdered" for run in gifts)
    assert len(cli("runs", "-c", "shop", "-n", "1", "--json", "-s", shop.store).json["runs"]) == 1
    wrong = cli("runs", "shop_app:shop", "--type", "GiftOrderd", "-s", shop.store)
    assert (wrong.code, wrong.err) == (
        3,
        "error: choreography 'shop' has no start 'GiftOrderd'; did you mean GiftOrdered or Ordered?\n",
    )


def test_runs_says_what_a_run_waits_for(cli: Cli, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    cli("start", "shop_app:shop", "GiftOrdered", '{"to": "Cy"}', "--run-id", "waits", "-s", shop.store)
    said = until(
        lambda: found if "waits for" in (found := cli("status", "-c", "shop", "waits", "-s", shop.store)).out else None
    )
    assert "waits for signal Wished" in said.out
    monkeypatch.setenv("COLUMNS", "80")
    table = cli("runs", "-c", "shop", "--status", "waiting", "-s", shop.store).out
    assert "waits for signal Wished" in table
    assert max(len(line) for line in table.splitlines()) <= 80


def test_a_log_without_runs_says_so(cli: Cli, tmp_path: object) -> None:
    from farandole.reactors import Choreography

    async def make() -> None:
        async with Choreography("empty").connect(f"sqlite:///{tmp_path}/e.db"):
            pass

    import asyncio

    asyncio.run(make())
    said = cli("runs", "-c", "empty", "-s", f"sqlite:///{tmp_path}/e.db")
    assert said.code == 0
    assert "No runs yet" in said.out


def test_show_decodes_events_without_the_apps_code(cli: Cli, shop: Shop, done: str) -> None:
    everything = cli("show", "-c", "shop", done, "--json", "-s", shop.store).json["records"]
    records = [r for r in everything if r["verdict"] == "admitted"]
    assert [(r["type"], r["data"]) for r in records] == [
        ("shop.Ordered", {"item": "book", "count": 2}),
        ("shop.Paid", {"receipt": "r-2"}),
        ("shop.Sent", {"item": "book"}),
    ]
    assert records[1]["reactor"] == "pay"
    assert records[1]["worked"] >= 0


def test_show_is_a_timeline_for_people(cli: Cli, shop: Shop, done: str) -> None:
    said = cli("show", "shop_app:shop", done, "-s", shop.store)
    assert said.out.startswith("looked-at  completed with Sent\n")
    assert "item=book  count=2" in said.out
    assert [word for word in ("Ordered", "Paid", "Sent") if word in said.out] == ["Ordered", "Paid", "Sent"]


def test_show_raw_has_the_headers(cli: Cli, shop: Shop, done: str) -> None:
    said = cli("show", "-c", "shop", done, "--raw", "-s", shop.store)
    assert "causation" in said.out
    assert "ADMITTED" in said.out
    assert '"item": "book"' in said.out


def test_show_tells_where_a_parked_step_failed(cli: Cli, shop: Shop, parked: str) -> None:
    said = cli("show", "-c", "shop", parked, "-s", shop.store)
    assert "pay is parked after 1 attempt:" in said.out
    assert "shop_app.py" in said.out
    assert "farandole/reactors" not in said.out
    assert f"farandole retry {parked} --choreography shop --store {shop.store}" in said.out


def test_no_event_drives_the_terminal(cli: Cli, shop: Shop) -> None:
    cli(*ORDERED, '{"item": "broken"}', "--run-id", "escape", "--wait", "-s", shop.store)
    for words in (("show",), ("tail", "--no-follow"), ("show", "--raw")):
        said = cli(words[0], "-c", "shop", "escape", *words[1:], "-s", shop.store)
        assert said.code == 0
        assert "the till is broken" in said.out
        assert "\x1b" not in said.out


def test_status_tells_attempts_and_who_owes(cli: Cli, shop: Shop, parked: str) -> None:
    status = cli("status", "-c", "shop", parked, "--json", "-s", shop.store).json
    assert status["status"] == "failed"
    [owed] = status["owed"]
    assert owed["reactor"] == "pay"
    assert owed["service"] == "counter"
    assert owed["attempts"] == 1
    assert "pay failed after 1 attempt" in cli("status", "-c", "shop", parked, "-s", shop.store).out


@pytest.mark.parametrize("command", ["show", "status", "tail", "retry", "cancel", "pause", "resume"])
def test_an_unknown_run_is_code_3(cli: Cli, shop: Shop, command: str) -> None:
    said = cli(command, "-c", "shop", "nobody", "-s", shop.store)
    assert said.code == 3
    assert said.err.count("\n") == 1
    assert "has no run 'nobody'" in said.err


def test_tail_of_a_run_ends_when_it_is_closed(cli: Cli, shop: Shop, done: str) -> None:
    lines = cli("tail", "-c", "shop", done, "--json", "-s", shop.store).lines
    assert [line["type"] for line in lines] == ["shop.Ordered", "shop.Paid", "shop.Sent"]


def test_tail_tells_the_last_of_all_runs(cli: Cli, shop: Shop, done: str) -> None:
    lines = cli("tail", "-c", "shop", "-n", "2", "--no-follow", "--json", "-s", shop.store).lines
    assert len(lines) == 2


def test_the_choreography_comes_from_the_environment(
    cli: Cli, shop: Shop, done: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FARANDOLE_STORE", shop.store)
    monkeypatch.setenv("FARANDOLE_CHOREOGRAPHY", "shop")
    assert cli("status", done).code == 0
    assert cli("status", "shop_app:shop", done).code == 0
    assert cli("runs").code == 0


def test_values_of_a_payload_codec_need_the_app(cli: Cli, tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/coded.db"
    assert cli("start", "coded_app:shop", "Ordered", '{"item": "book"}', "--run-id", "coded", "-s", store).code == 0
    [with_app] = cli("show", "coded_app:shop", "coded", "--json", "-s", store).json["records"]
    assert with_app["data"] == {"item": "book", "count": 1}
    [without] = cli("show", "-c", "shop", "coded", "--json", "-s", store).json["records"]
    assert without["data"] is None
    assert "name the app" in without["unreadable"]
    assert "name the app" in cli("show", "-c", "shop", "coded", "-s", store).out
