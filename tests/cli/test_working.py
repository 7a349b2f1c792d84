"""`work`: workers that stop when told, come back when killed, and share the work of several processes."""

import json
import signal
import urllib.request
from pathlib import Path
from urllib.error import URLError

import psutil
import pytest

from farandole.testing.server import free_port

from .conftest import Cli, spawn, stop, until, working

SLOW = ("start", "shop_app:shop", "Ordered", '{"item": "slow"}', "--run-id", "slow")
QUICK = ("start", "shop_app:shop", "Ordered", '{"item": "book"}', "--wait", "--timeout", "30s")


@pytest.fixture
def store(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/shop.db?session=1"


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_stops_gracefully(cli: Cli, store: str, sign: signal.Signals) -> None:
    with working(store) as worker:
        assert cli(*QUICK, "-s", store).code == 0
        said = stop(worker, sign)
    assert said.code == 0
    messages = [json.loads(line) for line in said.err.splitlines()]
    assert messages[-1]["message"] == "service counter has stopped"
    assert {"time", "level", "logger", "pid"} <= messages[0].keys()


def test_a_step_at_work_is_finished_before_stopping(cli: Cli, store: str, tmp_path: Path) -> None:
    with working(store, "--grace", "20", SHOP_MARKERS=str(tmp_path)) as worker:
        cli(*SLOW, "-s", store)
        until((tmp_path / "begun").exists)
        worker.send_signal(signal.SIGTERM)
        (tmp_path / "go").touch()
        assert worker.wait(30) == 0
    records = cli("show", "-c", "shop", "slow", "--json", "-s", store).json["records"]
    assert [r["type"] for r in records if r["verdict"] == "admitted"][:2] == ["shop.Ordered", "shop.Paid"]


def test_after_kill_9_the_next_worker_resumes(cli: Cli, store: str, tmp_path: Path) -> None:
    with working(store, SHOP_MARKERS=str(tmp_path)) as worker:
        cli(*SLOW, "-s", store)
        until((tmp_path / "begun").exists)
        worker.kill()
        worker.wait()
    (tmp_path / "go").touch()
    with working(store, SHOP_MARKERS=str(tmp_path)):
        lines = cli("tail", "-c", "shop", "slow", "--json", "-s", store).lines
    assert [line["type"] for line in lines if line["verdict"] == "admitted"] == [
        "shop.Ordered",
        "farandole.Claim",
        "shop.Paid",
        "shop.Sent",
    ]


def test_two_processes_share_the_work_and_stop_together(cli: Cli, store: str) -> None:
    port = free_port()
    worker = spawn(
        "work",
        "shop_app:shop",
        "-s",
        store,
        "--processes",
        "2",
        "--member",
        "m",
        "--metrics-port",
        str(port),
        "--grace",
        "1",
    )
    try:
        assert cli(*QUICK, "-s", store).code == 0
        until(lambda: owned(port) == 8)
        assert len(psutil.Process(worker.pid).children()) == 2
        said = stop(worker)
    finally:
        worker.kill()
    assert said.code == 0
    assert said.err.count("has stopped") == 2


def owned(port: int) -> int:
    """How many partitions the process owns that serves its metrics there; none while it is not up yet."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as response:
            lines = response.read().decode().splitlines()
    except URLError:
        return 0
    return int(float(next(line.split()[1] for line in lines if line.startswith("farandole_partitions_owned{"))))


def test_children_end_when_their_parent_is_killed(store: str) -> None:
    worker = spawn("work", "shop_app:shop", "-s", store, "--processes", "2", "--grace", "1")
    children = until(lambda: c if len(c := psutil.Process(worker.pid).children()) == 2 else None)
    worker.kill()
    worker.communicate()
    _, alive = psutil.wait_procs(children, timeout=60)
    assert not alive


def test_a_reactor_of_another_service_is_refused_with_code_4_and_taken_over_on_purpose(cli: Cli, store: str) -> None:
    with working(store) as worker:
        assert cli(*QUICK, "-s", store).code == 0
        stop(worker)
    with working(store, app="shop_app:other") as second:
        _, err = second.communicate(timeout=30)
    assert second.returncode == 4
    assert "is served by service 'counter'" in err.splitlines()[-1]
    with working(store, "--take-over", app="shop_app:other"):
        until(lambda: "elsewhere" in cli("doctor", "-c", "shop", "-s", store).out)


def test_the_log_is_text_when_asked_for(store: str) -> None:
    worker = spawn("work", "shop_app:shop", "-s", store, "--log-format", "text")
    assert worker.stderr is not None
    line = worker.stderr.readline()
    stop(worker)
    assert "worker  service counter of shop works at sqlite:" in line
