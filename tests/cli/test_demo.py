"""`demo` shows runs in motion, and comes to an end by itself or when told."""

import contextlib
import json
import os
import pty
import re
import signal
import subprocess
import sys
import termios
import urllib.request
import webbrowser
from io import StringIO
from urllib.error import HTTPError

import pytest
from rich.console import Console

from farandole.cli.demo.run import _tell_of_dashboard
from farandole.cli.output import Output

from .conftest import APPS, environment, run, spawn, until


def test_once_runs_six_runs_to_their_ends() -> None:
    said = run("demo", "--once", "--json")
    assert said.code == 0
    assert said.err == ""
    runs = said.json["runs"]
    assert len(runs) == 6
    assert {r["status"] for r in runs} == {"completed"}
    assert sorted(r["failures"] for r in runs) == [0, 0, 0, 1, 2, 2]
    assert sum(r["end"] == "bakery.OrderDeclined" for r in runs) == 1


def test_at_a_terminal_it_is_a_live_view_and_its_log_stays() -> None:
    code, shown = at_a_terminal("demo", "--once")
    assert code == 0
    view, _, summary = shown.partition("\x1b[?1049l")
    assert "OWES, WAITS FOR, ENDED WITH" in view
    assert "What to try next" in summary
    words = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", summary).replace("\r", "").splitlines()
    setting = next(line for line in words if "export" in line)
    env = dict(word.split("=", 1) for word in setting.split()[1:])
    run_id = next(line for line in words if "farandole show" in line).split()[2]
    assert "failed, attempt 1" in run("show", run_id, **env).out
    assert run("doctor", **env).code == 0


def at_a_terminal(*words: str) -> tuple[int, str]:
    """Run a command in a terminal of 200 by 30, and return its exit code and all that it wrote there."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (30, 200))
    command = [sys.executable, "-m", "farandole.cli", *words]
    process = subprocess.Popen(
        command, cwd=APPS, env=environment(TERM="xterm"), stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    written = b""
    # Linux ends a terminal that nobody holds any more with an error.
    with contextlib.suppress(OSError):
        while read := os.read(ours, 65536):
            written += read
    os.close(ours)
    return process.wait(30), written.decode()


def test_it_is_seen_on_the_dashboard_where_one_waits_one_is_tried_again_and_one_is_stuck() -> None:
    demo = spawn("demo", "--port", "0", "--no-browser")
    assert demo.stdout is not None
    try:
        url = until(lambda: re.findall(r"dashboard is at (\S+)", demo.stdout.readline()) if demo.stdout else [])[0]

        def found() -> set[str]:
            try:
                with urllib.request.urlopen(f"{url}/api/v1/runs?limit=500") as answer:
                    runs = json.load(answer)["items"]
            except HTTPError as e:
                assert e.code == 503, "at first the tables are not there"
                return set()
            return {f"{run['run_id'].partition('-')[0]} {run['status']}" for run in runs}

        until(lambda: found() >= {"complaint waiting", "flour retrying", "wedding unserved", "ada completed"})
        with urllib.request.urlopen(f"{url}/inbox") as page:
            assert "Give Gina the money back?" in page.read().decode()
    finally:
        demo.send_signal(signal.SIGTERM)
        demo.communicate(timeout=30)
    assert demo.returncode == 0


def test_without_a_terminal_it_tells_events_until_told_to_stop() -> None:
    demo = spawn("demo", "--json")
    assert demo.stdout is not None
    until(lambda: '"bakery.CakeBaked"' in demo.stdout.readline() if demo.stdout else False)
    demo.send_signal(signal.SIGTERM)
    demo.communicate(timeout=30)
    assert demo.returncode == 0


@pytest.mark.parametrize(
    ("display", "browser", "terminal", "opened"),
    [
        (":0", True, True, ["http://127.0.0.1:8600"]),
        (":0", False, True, []),
        ("", True, True, []),
        (":0", True, False, []),
    ],
    ids=["a desktop", "--no-browser", "no display", "no terminal"],
)
def test_a_browser_is_opened_where_somebody_can_see_it(
    monkeypatch: pytest.MonkeyPatch, display: str, browser: bool, terminal: bool, opened: list[str]
) -> None:
    found: list[str] = []
    monkeypatch.setattr(webbrowser, "open", found.append)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("DISPLAY", display)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    out = Output(False)
    out.console = Console(file=StringIO(), force_terminal=terminal)
    _tell_of_dashboard("http://127.0.0.1:8600", out, browser)
    assert found == opened
