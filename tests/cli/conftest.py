"""The command line as tests use it: in this process where that is enough, in processes of its own where it is not."""

import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from farandole.cli import main

APPS = Path(__file__).parent / "apps"
ROOT = Path(__file__).parents[2]
PARTS = ("schemas", "eventstore", "projections", "reactors", "agents", "testing", "dashboard", "cli")


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


Cli = Callable[..., Said]


@pytest.fixture(autouse=True)
def _surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "FARANDOLE_STORE",
        "FARANDOLE_REGISTRY",
        "FARANDOLE_CHOREOGRAPHY",
        "FARANDOLE_DEBUG",
        "COLUMNS",
        "NO_COLOR",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(APPS)


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    """Run a command in this process."""

    def run(*words: str) -> Said:
        capsys.readouterr()
        before = logging.root.handlers[:], logging.root.level
        try:
            code = main(words)
        finally:
            # What a command sends its log to is closed with the test.
            logging.root.handlers[:], logging.root.level = before
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    return run


def environment(**more: str) -> dict[str, str]:
    path = os.pathsep.join(str(ROOT / part) for part in PARTS)
    return {**os.environ, "PYTHONPATH": path, **more}


def spawn(*words: str, cwd: Path = APPS, **env: str) -> "subprocess.Popen[str]":
    """Start a command in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "farandole.cli", *words],
        cwd=cwd, env=environment(**env), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def run(*words: str, cwd: Path = APPS, **env: str) -> Said:
    """Run a command in a process of its own to its end."""
    process = spawn(*words, cwd=cwd, **env)
    out, err = process.communicate(timeout=180)
    return Said(process.returncode, out, err)


def stop(process: "subprocess.Popen[str]", sign: signal.Signals = signal.SIGTERM) -> Said:
    """End a process by a signal, and return what it said."""
    process.send_signal(sign)
    out, err = process.communicate(timeout=120)
    return Said(process.returncode, out, err)


def until(condition: Callable[[], Any], seconds: float = 120.0) -> Any:
    """Wait until a condition holds, and return what it returned."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"{condition} did not come true within {seconds} s"
        time.sleep(0.05)
    return found


@contextmanager
def working(store: str, *more: str, app: str = "shop_app:shop", **env: str) -> "Iterator[subprocess.Popen[str]]":
    """A worker process while the block runs."""
    process = spawn("work", app, "--store", store, "--grace", "1", *more, **env)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


@dataclass(frozen=True)
class Shop:
    """A log with a worker at work on it, for all tests that need no log of their own."""

    store: str
    markers: Path

    def words(self, command: str, *words: str) -> Sequence[str]:
        return (command, *words, "--store", self.store)


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    path = tmp_path_factory.mktemp("shop")
    store = f"sqlite:///{path / 'shop.db'}"
    with working(store, SHOP_MARKERS=str(path)):
        yield Shop(store, path)
