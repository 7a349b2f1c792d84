"""`make` takes only a Python that can make environments, and says which ones it leaves out."""

import os
import shutil
import subprocess
from pathlib import Path

from farandole.testing.plugin import need
from faults import FAULTS

ROOT = Path(__file__).parent.parent
LAME = 'case "$2" in *ensurepip*) exit 1;; esac\n'


def make(where: Path, *words: str) -> str:
    program = shutil.which("make")
    need("make", [] if program else ["make"], of="make", required="FARANDOLE_REQUIRE_MAKE")
    assert program is not None
    env = {**os.environ, "PATH": f"{where}{os.pathsep}{os.environ['PATH']}", "HOME": str(where)}
    command = [program, "--no-print-directory", *words]
    return subprocess.run(command, cwd=ROOT, env=env, check=True, capture_output=True, text=True, timeout=60).stdout


def a_program(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!/bin/sh\n{text}")
    file.chmod(0o755)


def test_a_python_that_cannot_make_environments_is_passed_over(tmp_path: Path) -> None:
    a_program(tmp_path / "python3.13", LAME)
    a_program(tmp_path / "python3.12", "exit 0\n")
    assert f"python3.12 -m venv {tmp_path}/env" in make(
        tmp_path, "-n", f"VENV={tmp_path}/env", f"{tmp_path}/env/.python"
    )


def test_pythons_left_out_of_the_tests_are_named_with_the_reason(tmp_path: Path) -> None:
    a_program(tmp_path / "python3.12", LAME)
    a_program(tmp_path / "env/bin/python", "echo 3.11\n")
    env = f"{tmp_path}/env"
    said = make(tmp_path, f"VENV={env}", "VERSIONS=3.11 3.12 3.98", "-o", f"{env}/.dev", "test-pythons")
    assert said.splitlines() == [
        "== Python 3.12 is left out: python3.12 has no ensurepip or venv (Debian: python3.12-venv)",
        "== Python 3.98 is left out: there is none on the PATH or in ~/.pyenv",
    ]


def test_the_tests_of_faults_are_run_in_the_lanes_of_all_tests(tmp_path: Path) -> None:
    env = f"{tmp_path}/env"
    said = make(tmp_path, "-n", f"VENV={env}", "-o", f"{env}/.dev", "lanes", "ONLY=faults")
    for lane in (
        "faults and not kafka and not postgres and not slow",
        "faults and slow and computes",
        "faults and (kafka or postgres or slow) and not (slow and computes)",
    ):
        assert f'-m "{lane}"' in said


def test_all_places_where_things_go_wrong_on_purpose_are_there() -> None:
    assert [place for place in FAULTS if not place.exists()] == []
