"""The page of the client's faults names tests that exist."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/client-faults.md").read_text()
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if re.match(r"\| \d", line)]
PLACES = (ROOT / "tests", ROOT / "eventstore/farandole/eventstore/testing")
EXISTING = {
    node.name
    for place in PLACES
    for file in place.rglob("*.py")
    for node in ast.walk(ast.parse(file.read_text()))
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
}


def test_all_thirty_two_are_there() -> None:
    assert [int(row[0]) for row in ROWS] == list(range(1, 33))


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_every_fault_has_a_verdict_and_tests_that_exist(row: list[str]) -> None:
    _, fault, touches, _, tests = row
    assert fault
    assert re.match(r"(yes|no)\b", touches)
    named = re.findall(r"`(\w+)`", tests)
    assert named
    assert set(named) <= EXISTING
