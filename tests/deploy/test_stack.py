"""The whole stack starts, Prometheus hears of everything, and nothing of it is left when it has ended."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from farandole.testing.plugin import need

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def stack_tools(kafka_tools: None) -> None:
    missing = [] if shutil.which("prometheus") else ["prometheus"]
    need("Prometheus", missing, of="prometheus", required="FARANDOLE_REQUIRE_PROMETHEUS")


@pytest.fixture
def folder() -> Iterator[Path]:
    """For temporary files. Those of pytest are its own user's alone, and PostgreSQL never runs as root."""
    with tempfile.TemporaryDirectory(prefix="stack-") as made:
        Path(made).chmod(0o755)
        yield Path(made)


def stack(folder: Path, *words: str) -> "subprocess.Popen[str]":
    """Started with a folder for temporary files of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "stack", *words], cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "tests"), "TMPDIR": str(folder)}, start_new_session=True,
    )  # fmt: skip


def left(folder: Path) -> list[str]:
    """What is there still: files, and processes that were told of the folder."""
    found = [file.name for file in folder.iterdir() if file.name.startswith("farandole-")]
    for process in psutil.process_iter(["cmdline"]):
        found += [word for word in process.info["cmdline"] or () if str(folder) in word]
    return found


@pytest.mark.kafka
@pytest.mark.slow
@pytest.mark.timeout(400)
def test_every_question_has_an_answer(stack_tools: None, folder: Path) -> None:
    asked = stack(folder, "--check")
    said, _ = asked.communicate(timeout=390)
    assert asked.returncode == 0, said
    assert "targets are up: payments, kitchen, delivery" in said
    assert "questions have answers" in said
    assert "pages and questions are answered by the server" in said
    assert left(folder) == []


@pytest.mark.kafka
@pytest.mark.slow
@pytest.mark.timeout(200)
@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_when_it_is_asked_to(stack_tools: None, folder: Path, sign: signal.Signals) -> None:
    looked = stack(folder)
    assert looked.stdout is not None
    lines = []
    for line in looked.stdout:
        lines.append(line)
        if "Ctrl-C ends" in line:
            break
    looked.send_signal(sign)
    rest, _ = looked.communicate(timeout=120)
    assert looked.returncode in (0, 130, 143), "".join(lines) + rest
    assert left(folder) == []
