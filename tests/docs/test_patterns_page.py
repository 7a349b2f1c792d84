"""Each row of the page on patterns has its program and a test of its name."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/patterns.md").read_text()
LINKED = sorted(set(re.findall(r"\]\(\.\./(examples/\w+/\w+\.py)\)", PAGE)))
TESTS = "\n".join(path.read_text() for path in (ROOT / "tests/flows").glob("test_*.py"))


@pytest.mark.parametrize("example", LINKED)
def test_every_example_has_a_test_of_its_name(example: str) -> None:
    assert (ROOT / example).exists()
    assert f"async def test_{Path(example).stem}(" in TESTS


@pytest.mark.parametrize("row", re.findall(r"^\| .*", PAGE, flags=re.M))
def test_every_row_leads_to_a_program_or_says_why_not(row: str) -> None:
    assert re.match(r"\| (pattern|sample) \|", row) or "](" in row or "| not yet |" in row
