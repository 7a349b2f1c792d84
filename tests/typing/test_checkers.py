"""Both type checkers, strict, agree with what the API promises: no error where there is none, and each that is meant."""

import json
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FILES = sorted(
    [
        HERE / "agents.py",
        HERE / "api.py",
        HERE / "errors.py",
        HERE / "events.py",
        HERE / "frameworks.py",
        HERE / "runs.py",
        *(HERE / "apps").glob("*.py"),
    ]
)

Found = dict[Path, set[tuple[int, str, str]]]
"""By file: line, code of the error, and its message."""


@pytest.fixture(scope="module")
def mypy() -> Found:
    out = _run("mypy", "--show-error-codes", "--no-error-summary", "--no-pretty", *map(str, FILES))
    found: Found = defaultdict(set)
    for file, line, message, code in re.findall(r"^(.+?):(\d+): error: (.*?)  \[([\w-]+)\]$", out, re.MULTILINE):
        found[(ROOT / file).resolve()].add((int(line), code, message))
    return found


@pytest.fixture(scope="module")
def pyright() -> Found:
    out = json.loads(_run("pyright", "--outputjson", "--pythonpath", sys.executable, *map(str, FILES)))
    assert out["summary"]["filesAnalyzed"] == len(FILES)
    found: Found = defaultdict(set)
    for it in out["generalDiagnostics"]:
        place = it["range"]["start"]["line"] + 1
        found[Path(it["file"]).resolve()].add((place, it.get("rule", "syntax"), it["message"]))
    return found


def _run(checker: str, *args: str) -> str:
    done = subprocess.run([sys.executable, "-m", checker, *args], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return done.stdout


def expected(file: Path, checker: str) -> set[tuple[int, str]]:
    """The errors that the comments of a file announce: ``# E: mypy[arg-type] pyright[reportArgumentType]``."""
    return {
        (number, code)
        for number, line in enumerate(file.read_text().splitlines(), 1)
        if "# E: " in line
        for codes in re.findall(rf"{checker}\[([\w,-]+)\]", line.split("# E: ")[1])
        for code in codes.split(",")
    }


@pytest.mark.slow
@pytest.mark.computes
@pytest.mark.timeout(600)
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
@pytest.mark.parametrize("checker", ["mypy", "pyright"])
def test_the_checkers_say_what_is_expected(checker: str, file: Path, request: pytest.FixtureRequest) -> None:
    found: Found = request.getfixturevalue(checker)
    assert {(line, code) for line, code, _ in found[file]} == expected(file, checker), sorted(found[file])
