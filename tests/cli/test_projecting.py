"""`project`, `rebuild` and `verify`: the tables of runs from the command line."""

import re
import sqlite3
from pathlib import Path
from typing import Any

from .conftest import Cli, Shop, spawn, stop, until, working
from .test_demo import at_a_terminal

ORDERED = ("start", "shop_app:shop", "Ordered")


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    if not path.exists():
        return []
    try:
        return sqlite3.connect(path).execute(query).fetchall()
    except sqlite3.OperationalError:
        return []


def test_runs_are_projected_until_sigterm_verified_and_rebuilt(cli: Cli, tmp_path: Path) -> None:
    store, path = f"sqlite:///{tmp_path}/log.db", tmp_path / "runs.db"
    db = f"sqlite:///{path}"
    with working(store, SHOP_MARKERS=str(tmp_path)):
        cli(*ORDERED, '{"item": "book"}', "--run-id", "r-1", "--wait", "-s", store)
        process = spawn("project", "-c", "shop", "--store", store, "--db", db, "--json")
        try:
            until(lambda: rows(path, "SELECT 1 FROM runs WHERE run_id = 'r-1' AND status = 'completed'"))
            cli(*ORDERED, '{"item": "broken"}', "--run-id", "r-2", "--wait", "-s", store)
            until(lambda: rows(path, "SELECT 1 FROM runs WHERE run_id = 'r-2' AND status = 'failed'"))
        finally:
            said = stop(process)
        assert said.code == 0, said.err
        assert '"projecting shop' in said.err
    query = "SELECT error, substr(message, 1, 18) FROM runs JOIN failures USING (partition, run, error) WHERE final"
    assert rows(path, query) == [("RuntimeError", "the till is broken")]
    words = ("-c", "shop", "--store", store, "--db", db)
    good = cli("verify", *words, "--json")
    assert good.code == 0
    assert good.json["differences"] == []
    connection = sqlite3.connect(path)
    connection.execute("UPDATE runs SET status = 'well' WHERE run_id = 'r-2'")
    connection.commit()
    bad = cli("verify", *words)
    assert bad.code == 1
    assert "status is 'well', not 'failed'" in bad.out
    assert "farandole rebuild" in bad.out
    assert cli("rebuild", *words, "--json").json["records"] > 0
    assert cli("verify", *words).code == 0


def test_what_is_not_named_or_not_there_is_told_with_its_cure(cli: Cli, shop: Shop, tmp_path: Path) -> None:
    assert "or set FARANDOLE_DB" in cli(*shop.words("verify", "-c", "shop")).err
    db = f"sqlite:///{tmp_path}/none.db"
    until(lambda: "start a projector first" in cli(*shop.words("verify", "-c", "shop", "--db", db)).err)
    assert "is no kind of database" in cli(*shop.words("verify", "-c", "shop", "--db", "mysql://x/y")).err
    elsewhere = cli("rebuild", "-c", "nowhere", "--db", db, "--store", f"sqlite:///{tmp_path}/empty.db")
    assert elsewhere.code == 2
    assert "by starting a worker" in elsewhere.err


def test_projections_of_an_app_are_kept_beside_the_runs_made_anew_and_verified(cli: Cli, tmp_path: Path) -> None:
    store, path = f"sqlite:///{tmp_path}/log.db", tmp_path / "runs.db"
    words = ("counted_app:shop", "--store", store, "--db", f"sqlite:///{path}")
    ordered = "SELECT item, ordered FROM items ORDER BY item"

    def of(name: str) -> Any:
        return next(each for each in cli("projections", *words, "--json").json if each["name"] == name)

    with working(store, SHOP_MARKERS=str(tmp_path)):
        cli(*ORDERED, '{"item": "book", "count": 2}', "--run-id", "r-1", "--wait", "-s", store)
        process = spawn("project", *words, "--json")
        try:
            until(lambda: rows(path, ordered) == [("book", 2)])
            cli(*ORDERED, '{"item": "cursed"}', "--run-id", "r-2", "--wait", "-s", store)
            until(lambda: rows(path, "SELECT 1 FROM projections WHERE name = 'Fussy' AND state = 'stopped'"))
            cli(*ORDERED, '{"item": "pen"}', "--run-id", "r-3", "--wait", "-s", store)
            until(lambda: len(rows(path, ordered)) == 3)
            until(lambda: rows(path, "SELECT 1 FROM runs WHERE run_id = 'r-3' AND status = 'completed'"))
            until(lambda: not of("Items")["behind"])
            assert [of(name)["kept"] for name in ("Fussy", "Items")] == [True, True]
            assert [of(name)["state"] for name in ("Fussy", "Items")] == ["stopped", "live"]
            refused = cli("projections", words[0], "drop", "Fussy", *words[1:])
            assert refused.code == 2
            assert "Fussy is kept by process" in refused.err
        finally:
            said = stop(process)
        assert said.code == 0, said.err
        assert "projection Fussy goes no further" in said.err
        assert "shop.Sent of run 'r-2'" in said.err
    # Tried again, it may have taken what other partitions have.
    assert {("r-1",)} <= set(rows(path, "SELECT run FROM fussy")) <= {("r-1",), ("r-3",)}
    shown = cli("projections", "-c", "shop", *words[1:]).out
    assert shown.count("nobody") == 2
    assert "shop.Sent of run 'r-2'" in shown
    assert "Fussy: removed, with fussy" in cli("projections", "-c", "shop", "drop", "Fussy", *words[1:]).out
    assert rows(path, "SELECT name FROM projections") == [("Items",)]
    assert "there are Items" in cli("projections", "-c", "shop", "drop", "Fussy", *words[1:]).err
    assert "or drop and a projection's name" in cli("projections", "-c", "shop", "remove", "Items", *words[1:]).err
    assert cli("verify", *words, "--projection", "Items").code == 0
    connection = sqlite3.connect(path)
    connection.execute("UPDATE items SET ordered = 100 WHERE item = 'pen'")
    connection.commit()
    bad = cli("verify", *words, "--projection", "Items")
    assert bad.code == 1
    assert "items (pen): ordered is 100, not 1" in bad.out
    assert cli("rebuild", *words, "--projection", "Items", "--json").json["records"] > 0
    assert rows(path, ordered) == [("book", 2), ("cursed", 1), ("pen", 1)]
    assert "did you mean Items?" in cli("rebuild", *words, "--projection", "Item").err
    process = spawn("project", *words, "--projection", "Items", "--json", ITEMS_VERSION="3")
    try:
        until(lambda: rows(path, ordered) == [("book", 6), ("cursed", 3), ("pen", 3)])
    finally:
        assert stop(process).code == 0


def test_at_a_terminal_a_rebuild_has_a_bar_that_says_how_far_it_is(cli: Cli, shop: Shop, tmp_path: Path) -> None:
    cli(*shop.words(*ORDERED, '{"item": "bar"}', "--wait"))
    code, shown = at_a_terminal("rebuild", "-c", "shop", "--store", shop.store, "--db", f"sqlite:///{tmp_path}/bar.db")
    assert code == 0, shown
    assert re.search(r"[█░]{24} +\d+%  [\d,]+ of [\d,]+ records, [\d,]+ a second", shown), shown
    assert "the tables are in place" in shown
