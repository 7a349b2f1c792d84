"""Stopping: all processes of a worker, whenever the signal comes, and whatever their handlers do."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import psutil
import pytest

from farandole.cli.developing import develop
from farandole.cli.output import Output
from farandole.cli.processes import several
from farandole.cli.running import run

from .conftest import APPS, Cli, environment, spawn, stop, until, working

SLOW = ("start", "shop_app:shop", "Ordered", '{"item": "slow"}', "--run-id", "slow")


@pytest.fixture
def store(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/log.db?session=1"


@pytest.mark.parametrize("signalled", [1, 2, 6])
def test_a_signal_while_processes_are_started_stops_those_started_and_starts_no_more(
    monkeypatch: pytest.MonkeyPatch, store: str, signalled: int
) -> None:
    monkeypatch.setenv("PYTHONPATH", environment()["PYTHONPATH"])
    before = psutil.Process().children()
    begun: list[int] = []

    def words(number: int) -> Sequence[str]:
        begun.append(number)
        if number == signalled:
            os.kill(os.getpid(), signal.SIGTERM)
        return ("work", "shop_app:shop", "--grace", "1", "--log-level", "error")

    assert run(several(6, words, store=store)) == 0
    assert begun == list(range(1, signalled + 1))
    assert set(psutil.Process().children()) <= set(before)


def test_a_signal_while_dev_starts_its_workers_stops_those_started(monkeypatch: pytest.MonkeyPatch, store: str) -> None:
    monkeypatch.setenv("PYTHONPATH", environment()["PYTHONPATH"])
    before = psutil.Process().children()
    begun: list[str] = []

    def words(app: str, out: Output, *, quiet: bool) -> list[str]:
        begun.append(app)
        os.kill(os.getpid(), signal.SIGTERM)
        return ["dev-worker", app]

    monkeypatch.setattr("farandole.cli.developing._words", words)
    assert run(develop(["shop_app:shop", "shop_app:other"], store, Output(as_json=False))) == 0
    assert begun == ["shop_app:shop"]
    assert set(psutil.Process().children()) <= set(before)


def test_ctrl_c_at_the_terminal_lets_each_process_finish_what_is_at_work(cli: Cli, store: str, tmp_path: Path) -> None:
    worker = subprocess.Popen(
        [sys.executable, "-m", "farandole.cli", "work", "shop_app:shop", "-s", store, "--processes", "2"],
        cwd=APPS, env=environment(SHOP_MARKERS=str(tmp_path)), stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        assert worker.stderr is not None
        for _ in range(2):
            while '"message": "ready: ' not in worker.stderr.readline():
                assert worker.poll() is None
        cli(*SLOW, "-s", store)
        until((tmp_path / "begun").exists)
        os.killpg(worker.pid, signal.SIGINT)
        (tmp_path / "go").touch()
        _, err = worker.communicate(timeout=40)
    finally:
        worker.kill()
    assert worker.returncode == 0
    assert err.count("has stopped") == 2


@pytest.mark.parametrize("service", ["plain", "loose"])
def test_a_thread_that_does_not_end_keeps_no_worker_process(cli: Cli, store: str, tmp_path: Path, service: str) -> None:
    with working(store, app=f"stuck_app:{service}", STUCK_MARKERS=str(tmp_path)) as worker:
        cli("start", f"stuck_app:{service}", "Begun", "{}", "-s", store)
        until((tmp_path / "begun").exists)
        said = stop(worker)  # which waits half as long as the thread
    assert said.code == 0
    assert "handlers still run in threads; this process ends without them" in said.err.splitlines()[-1]


def test_nor_does_it_keep_a_process_of_dev(cli: Cli, store: str, tmp_path: Path) -> None:
    dev = spawn("dev", "stuck_app:plain", "-s", store, STUCK_MARKERS=str(tmp_path))
    try:
        cli("start", "stuck_app:plain", "Begun", "{}", "-s", store)
        until((tmp_path / "begun").exists)
        assert stop(dev, signal.SIGINT).code == 0
    finally:
        dev.kill()


def test_a_worker_that_breaks_down_beside_such_a_thread_says_why_and_exits_with_its_code() -> None:
    program = (
        "import asyncio, threading, stuck_app\n"
        "from farandole.cli.errors import NotFound\n"
        "from farandole.cli.leaving import not_held_up\n"
        "async def main():\n"
        "    async with not_held_up(stuck_app.plain):\n"
        "        threading.Thread(target=threading.Event().wait, args=(60,), name='farandole-hang_0').start()\n"
        "        raise NotFound('it has gone')\n"
        "asyncio.run(main())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=APPS, env=environment(), capture_output=True, text=True, timeout=40
    )
    assert done.returncode == 3
    assert done.stderr.splitlines()[-1] == "error: it has gone"
