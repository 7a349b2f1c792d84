"""An agent is talked with in a terminal: it answers word by word, asks for leave, and the run goes on another day."""

import os
import pty
import re
import select
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
from tests.cli.conftest import APPS, Cli, environment, until, working

_CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
APP = "talk_app:helper"


class Terminal:
    """A terminal, and what is to be read in it."""

    def __init__(self, fd: int, process: "subprocess.Popen[bytes]") -> None:
        self._fd = fd
        self.process = process
        self._raw = ""
        self._seen = 0

    @property
    def text(self) -> str:
        return _CODES.sub("", self._raw).replace("\r\n", "\n")

    def until(self, wanted: str, seconds: float = 60) -> str:
        """Read on until this is to be read, behind what was waited for before; what came up to it."""
        deadline = time.monotonic() + seconds
        while (found := self.text.find(wanted, self._seen)) < 0:
            assert self._read(deadline), f"{wanted!r} is not in {self.text[self._seen :]!r}"
        before, self._seen = self.text[self._seen : found], found + len(wanted)
        return before

    def type(self, line: str) -> None:
        os.write(self._fd, f"{line}\n".encode())

    def press(self, key: bytes) -> None:
        os.write(self._fd, key)

    def end(self) -> int:
        deadline = time.monotonic() + 60
        while self._read(deadline):
            pass
        return self.process.wait(60)

    def _read(self, deadline: float) -> bool:
        ready, _, _ = select.select([self._fd], [], [], max(deadline - time.monotonic(), 0))
        if not ready:
            return False
        try:
            found = os.read(self._fd, 65_536)
        except OSError:  # whoever was at the other end has gone
            return False
        self._raw += found.decode(errors="replace")
        return bool(found)


@contextmanager
def terminal(cwd: Path, *words: str, **env: str) -> Iterator[Terminal]:
    ours, theirs = pty.openpty()
    env = environment(
        PYTHONPATH=os.pathsep.join([str(APPS), environment()["PYTHONPATH"]]), TERM="xterm", USER="ann", **env
    )
    env.pop("FARANDOLE_STORE", None)
    process = subprocess.Popen(
        [sys.executable, "-m", "farandole.cli", *words],
        cwd=cwd, env=env, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        preexec_fn=_take_terminal,
    )  # fmt: skip
    os.close(theirs)
    try:
        yield Terminal(ours, process)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        os.close(ours)


def _take_terminal() -> None:
    """So that Ctrl-C in the terminal reaches the process."""
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def test_one_talks_allows_a_call_leaves_and_goes_on(tmp_path: Path) -> None:
    with terminal(tmp_path, "chat", APP, DESK_SECONDS="0.4") as at:
        at.until("helper listens.")
        at.until("› ")
        at.type("Where is order 7?")
        at.until("look_up(")
        assert "\x1b[31m" not in at._raw.split("was lost ")[-1][:10]
        at.until("? May helper call refund?")
        assert '"amount": "9.50"' in at.until("yes or no?")
        at.type("y")
        at.until("refund → 9.50 paid back")
        at.until("It was lost on the way, and you get 9.50 back.")
        at.until("› ")
        at.type("Thank you.")
        at.until("Gladly.")
        at.until("› ")
        at.press(b"\x04")
        assert "4 calls of the model" in at.until("$0.04")
        at.until("farandole chat talk_app:helper --run ")
        assert at.end() == 0
        run_id = at.text.rpartition("--run ")[2].split()[0]
    assert at.text.count("It was lost on the way") == 1
    with terminal(tmp_path, "chat", APP, "--run", run_id) as at:
        told = at.until("Gladly.")
        assert told.index("› Where is order 7?") < told.index("It was lost on the way") < told.index("› Thank you.")
        at.until("› ")
        at.type("When do you open?")
        at.until("At nine.")
        at.until("› ")
        at.press(b"\x03")
        at.until("5 calls of the model")
        assert at.end() == 0


def test_a_call_that_is_not_allowed_is_told_with_the_reason(tmp_path: Path) -> None:
    with terminal(tmp_path, "chat", APP) as at:
        at.until("› ")
        at.type("Where is order 7?")
        at.until("yes or no?")
        at.type("perhaps")
        at.until("y or n?")
        at.type("no")
        at.until("why not?")
        at.type("too much")
        at.until("refund → The call was denied by ann: too much")
        at.until("It was lost on the way")


def test_ctrl_c_in_the_midst_of_a_reply_leaves_the_run_to_be_gone_on_with(tmp_path: Path) -> None:
    with terminal(tmp_path, "chat", APP, DESK_SECONDS="3") as at:
        at.until("› ")
        at.type("Where is order 7?")
        at.until("yes or no?")
        at.type("y")
        at.until("It was ")
        at.press(b"\x03")
        at.until("go on with")
        at.until("--run ")
        assert at.end() == 0
        run_id = at.text.rpartition("--run ")[2].split()[0]
    with terminal(tmp_path, "chat", APP, "--run", run_id) as at:
        at.until("It was lost on the way, and you get 9.50 back.")
        at.until("› ")
        assert at.text.count("It was lost on the way") == 1


def test_workers_may_be_elsewhere(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'desk.db'}"
    with working(store, app="talk_app:desk", DESK_SECONDS="0.4"):
        until(lambda: _made(tmp_path / "desk.db"))
        with terminal(tmp_path, "chat", APP, "--store", store) as at:
            _talk(at, store)


def _talk(at: Terminal, store: str) -> None:
    at.until("› ")
    at.type("Where is order 7?")
    at.until("yes or no?")
    at.type("y")
    at.until("It was lost on the way")
    at.until("› ")
    at.press(b"\x04")
    at.until(f"--store {store}")


def test_nobody_at_work_is_told(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'desk.db'}"
    with working(store, app="talk_app:desk") as worker:
        until(lambda: _made(tmp_path / "desk.db"))
        worker.send_signal(signal.SIGTERM)
        worker.wait(30)
    with terminal(tmp_path, "chat", APP, "--store", store) as at:
        at.until("› ")
        at.type("Where is order 7?")
        at.until("No process of service desk is at work")


def _made(log: Path) -> bool:
    """Whether a worker has made the log."""
    if not log.exists():
        return False
    with closing(sqlite3.connect(log, timeout=5)) as connection, suppress(sqlite3.Error):
        return connection.execute("SELECT count(*) FROM log").fetchone()[0] > 0
    return False


def test_leave_is_asked_for_calls_of_agents_that_the_agent_asks(tmp_path: Path) -> None:
    with terminal(tmp_path, "chat", "talk_app:boss") as at:
        at.until("› ")
        at.type("Pay it back.")
        at.until("? May clerk call refund?")
        at.until("yes or no?")
        at.type("yes")
        at.until("payment_asked → Paid.")
        at.until("It is paid.")
        assert at.end() == 0


def test_an_agent_whose_reply_ends_the_run_says_one_thing(tmp_path: Path) -> None:
    with terminal(tmp_path, "chat", "talk_app:expert") as at:
        at.until("› ")
        at.type("Where do parcels go?")
        at.until("Parcels get lost.")
        at.until("1 call of the model")
        assert at.end() == 0


def test_an_agent_of_another_framework_is_talked_to(tmp_path: Path) -> None:
    with terminal(tmp_path, "chat", "talk_app:abroad") as at:
        at.until("› ")
        at.type("Where do parcels go?")
        at.until("Parcels get lost abroad.")
        at.until("1 call of the model")
        assert at.end() == 0


@pytest.mark.parametrize(
    ("app", "said"),
    [
        ("talk_app:desk", "is a Choreography, and no agent to talk to; name talk_app:"),
        ("talk_app:forgetful", 'give it continues="self"'),
        ("talk_app:deaf", "takes no Start that needs one text and nothing else"),
        ("talk_app:homeless", "is served by no choreography: call homeless.serve(...)"),
        ("talk_app:nobody", "has no attribute 'nobody'"),
    ],
)
def test_who_cannot_be_talked_to_is_told_why(cli: Cli, app: str, said: str) -> None:
    found = cli("chat", app)
    assert found.code == 2
    assert said in found.err


def test_tokens_are_told_by_tail(cli: Cli, tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'desk.db'}"
    asked = ("start", "talk_app:desk", "ExpertAsked", '{"question": "Where?"}', "--run-id", "r", "--store", store)
    assert cli(*asked).code == 0
    words = [sys.executable, "-m", "farandole.cli", "tail", "talk_app:desk", "r", "--live", "--store", store]
    tail = subprocess.Popen(
        words, cwd=APPS, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert tail.stdout is not None
        assert "ExpertAsked" in (first := tail.stdout.readline())  # it looks on before anybody is at work
        with working(store, app="talk_app:desk", DESK_SECONDS="3"):
            out, err = tail.communicate(timeout=60)
    finally:
        tail.kill()
    assert tail.returncode == 0, err
    assert "Answered" in out
    assert re.search(r"expert\.model\nParcels get ", out), first + out
