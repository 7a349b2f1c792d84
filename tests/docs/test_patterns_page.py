"""Each row of the page on patterns has its program and a test of its name, and each program has its row."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES, FLOWS = ROOT / "examples", ROOT / "tests/flows"
PAGE = (ROOT / "docs/patterns.md").read_text()
LINKED = sorted(set(re.findall(r"\]\(\.\./examples/((?:\w+/)?\w+\.py)\)", PAGE)))
TESTS = "\n".join(path.read_text() for path in FLOWS.glob("test_*.py"))


@pytest.mark.parametrize("example", [name for name in LINKED if "/" in name])
def test_every_example_has_a_test_of_its_name(example: str) -> None:
    assert (EXAMPLES / example).exists()
    assert f"async def test_{Path(example).stem}(" in TESTS


@pytest.mark.parametrize("example", [name for name in LINKED if "/" not in name])
def test_every_whole_program_is_short_and_has_its_tests(example: str) -> None:
    assert len((EXAMPLES / example).read_text().splitlines()) < 80
    assert (FLOWS / f"test_{example}").exists()
    assert (ROOT / f"tests/kafka/test_{Path(example).stem}_under_kills.py").exists()


def test_every_program_is_on_the_page_or_on_one_of_its_own() -> None:
    there = [*EXAMPLES.glob("*.py"), *EXAMPLES.glob("patterns/*.py"), *EXAMPLES.glob("hello/*.py")]
    names = {path.relative_to(EXAMPLES).as_posix() for path in there}
    elsewhere = {name for name in names if "/" not in name and name not in LINKED}
    pages = "\n".join(page.read_text() for page in (ROOT / "docs").glob("*.md") if page.name != "patterns.md")
    assert sorted(names - elsewhere) == LINKED
    assert {name for name in elsewhere if f"examples/{name}" not in pages} == set()


@pytest.mark.parametrize("row", re.findall(r"^\| .*", PAGE, flags=re.M))
def test_every_row_leads_to_a_program_or_says_why_not(row: str) -> None:
    assert re.match(r"\| \w+ \| here \|", row) or "](" in row or "| not yet |" in row
