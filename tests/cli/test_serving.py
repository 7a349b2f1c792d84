"""`serve` and `token`: one process that projects and serves, and ends cleanly; and who may come in."""

import json
import re
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from .conftest import Cli, spawn, until, working


@contextmanager
def serving(*words: str, **env: str) -> Iterator[tuple[httpx2.Client, "subprocess.Popen[str]"]]:
    """A server, and somebody who asks it."""
    server = spawn("serve", "--port", "0", "--json", *words, **env)
    assert server.stderr is not None
    said: list[str] = []
    try:
        for line in server.stderr:
            said.append(line)
            if found := re.search(r"on (http://[^\s\"]+)", line):
                break
        else:
            raise AssertionError("".join(said))
        with httpx2.Client(base_url=found[1], timeout=60) as http:
            yield http, server
    finally:
        if server.poll() is None:
            server.kill()
        server.communicate()


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    try:
        return sqlite3.connect(path).execute(query).fetchall()
    except sqlite3.OperationalError:
        return []


def there(http: httpx2.Client, run_id: str) -> None:
    until(lambda: http.get(f"/api/v1/runs/{run_id}").status_code == 200)


@pytest.fixture
def words(cli: Cli, tmp_path: Path) -> tuple[str, ...]:
    """A log with a run, and where its tables are to be."""
    store = f"sqlite:///{tmp_path}/log.db"
    assert cli("start", "shop_app:shop", "GiftOrdered", '{"to": "ann"}', "--run-id", "r", "--store", store).code == 0
    return ("--store", store, "--db", f"sqlite:///{tmp_path}/runs.db")


def test_it_projects_and_serves_and_ends_cleanly_though_somebody_looks_on(words: tuple[str, ...]) -> None:
    with serving("shop_app:shop", *words) as (http, server):
        there(http, "r")
        assert http.get("/readyz").status_code == 200
        done = http.post("/api/v1/runs/r/signals", json={"type": "Wished", "payload": {"words": "be well"}})
        assert done.status_code == 202
        ((partition, offset),) = done.json()["position"].items()
        history = http.get("/api/v1/runs/r/history", params={"min_position": f"{partition}={offset}"}).json()
        assert [row["type"] for row in history["items"]] == ["shop.GiftOrdered", "shop.Wished"]
        with http.stream("GET", "/api/v1/stream") as stream:
            assert next(stream.iter_lines()) == "event: ready"
            server.send_signal(signal.SIGTERM)
            assert server.wait(60) == 0


def test_by_its_name_alone_runs_are_seen_and_looked_after(cli: Cli, words: tuple[str, ...], tmp_path: Path) -> None:
    tokens = str(tmp_path / "tokens")
    token = cli("token", "ann", "--role", "operate", "--file", tokens).out.splitlines()[0]
    with serving("-c", "shop", *words, FARANDOLE_TOKENS=tokens) as (http, server):
        assert http.get("/api/v1/runs/r").status_code == 401
        http.headers["Authorization"] = f"Bearer {token}"
        there(http, "r")
        start = http.post("/api/v1/runs", json={"type": "Ordered", "payload": {"item": "x"}})
        assert "farandole serve app" in start.json()["cure"]
        assert http.post("/api/v1/runs/r/cancel", json={"reason": "enough"}).status_code == 202
        server.send_signal(signal.SIGINT)
        assert server.wait(60) == 0


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--host", "0.0.0.0"], "nobody would be asked who they are"),
        (["--tokens", "/nothing/there"], "tokens cannot be read"),
        (["--role", "ops"], "GROUP=ROLE"),
    ],
)
def test_what_would_be_open_or_is_not_there_does_not_begin(
    cli: Cli, words: tuple[str, ...], more: list[str], said: str
) -> None:
    answer = cli("serve", "-c", "shop", *words, *more)
    assert answer.code == 2
    assert said in answer.err


def test_a_port_that_is_taken_is_told(cli: Cli, words: tuple[str, ...]) -> None:
    with serving("-c", "shop", *words) as (http, _):
        answer = cli("serve", "-c", "shop", *words, "--port", str(http.base_url.port))
        assert answer.code == 2
        assert "choose another one with --host and --port" in answer.err


def test_a_log_that_is_not_there_is_not_made(cli: Cli, tmp_path: Path) -> None:
    answer = cli(
        "serve", "-c", "shop", "--store", f"sqlite:///{tmp_path}/none.db", "--db", f"sqlite:///{tmp_path}/runs.db"
    )
    assert answer.code == 2
    assert "farandole work" in answer.err


def test_projections_of_the_app_are_kept_in_the_same_process_and_one_that_stops_is_told(
    cli: Cli, tmp_path: Path
) -> None:
    store, path = f"sqlite:///{tmp_path}/log.db", tmp_path / "runs.db"
    ordered = ("start", "shop_app:shop", "Ordered", "--wait", "-s", store)
    with working(store, SHOP_MARKERS=str(tmp_path)):
        cli(*ordered, '{"item": "book", "count": 2}', "--run-id", "r-1")
        where = ("counted_app:shop", "--store", store, "--db", f"sqlite:///{path}")
        with serving(*where, "--projections") as (http, server):
            there(http, "r-1")
            until(lambda: rows(path, "SELECT ordered FROM items") == [(2,)])
            until(lambda: rows(path, "SELECT run FROM fussy") == [("r-1",)])
            assert http.get("/readyz").status_code == 200
            cli(*ordered, '{"item": "cursed"}', "--run-id", "r-2")
            until(lambda: http.get("/readyz").status_code == 503)
            assert "projection Fussy goes no further" in http.get("/readyz").json()["why"]
            until(lambda: rows(path, "SELECT ordered FROM items WHERE item = 'cursed'") == [(1,)])
            there(http, "r-2")
            server.send_signal(signal.SIGTERM)
            assert server.wait(60) == 0
        cli(*ordered, '{"item": "pen"}', "--run-id", "r-3")
        with serving(*where, "--projection", "Items") as (http, _):
            until(lambda: rows(path, "SELECT ordered FROM items WHERE item = 'pen'") == [(1,)])
            assert http.get("/readyz").status_code == 200


def test_projections_that_the_app_does_not_declare_are_not_kept(cli: Cli, words: tuple[str, ...]) -> None:
    answer = cli("serve", "-c", "shop", *words, "--projections")
    assert answer.code == 2
    assert "name the app that does" in answer.err
    # Another test of this process may have imported an app that declares some for the same choreography.
    assert "declares no projection" in cli("serve", "shop_app:shop", *words, "--projection", "Nothing").err


def test_a_token_is_shown_once_and_only_its_hash_is_kept(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    words = [
        "token",
        "ann",
        "--role",
        "operate",
        "--also",
        "editor",
        "--until",
        "2999-01-01",
        "--file",
        str(file),
        "--json",
    ]
    said = cli(*words).json
    assert said["token"] not in file.read_text()
    assert re.fullmatch(r"[0-9a-f]{64}  ann  operate  editor  2999-01-01\n", file.read_text())
    assert file.stat().st_mode & 0o777 == 0o600
    assert json.loads(json.dumps(said))["line"] + "\n" == file.read_text()
    assert cli("token", "a b").code == 2
    assert "as 2027-01-31" in cli("token", "ann", "--until", "tomorrow").err
