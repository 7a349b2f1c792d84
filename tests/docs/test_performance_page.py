"""The tables of the page on performance are those that the figures beside it make."""

import json
import re
from pathlib import Path

import pytest
from benchmarks.__main__ import COMMANDS
from benchmarks.page import fill, filled, keep, kept_beside

PAGE = Path(__file__).resolve().parents[2] / "docs/performance.md"
TABLES = dict(re.findall(r"<!-- figures: ([a-z-]+) -->\n(.*?)<!-- end -->", PAGE.read_text(), re.DOTALL))


def test_the_page_can_be_made_anew_from_the_figures_beside_it() -> None:
    assert filled(PAGE, COMMANDS) == PAGE.read_text()


@pytest.mark.parametrize("name", [name for name, table in TABLES.items() if table])
def test_every_table_has_its_figures_and_its_command(name: str) -> None:
    assert json.loads((kept_beside(PAGE) / f"{name}.json").read_text())
    assert COMMANDS[name] in TABLES[name]


def test_figures_of_all_parts_are_shown(tmp_path: Path) -> None:
    page, out = tmp_path / "docs/page.md", tmp_path / "out"
    out.mkdir()
    page.parent.mkdir()
    page.write_text("before\n<!-- figures: long-run -->\n<!-- end -->\nafter\n")
    parts = {
        looks: {"steps": 1000, "last_to_first": n + 0.5} for n, looks in enumerate(("event", "mark", "state", "run"))
    }
    (out / "long-run.json").write_text(json.dumps({"store": "kafka", "rounds": 1, **parts, "spread": {}}))
    (out / "chain.json").write_text("{}")
    keep(page, out, ["long-run", "soak"])
    assert [kept.name for kept in kept_beside(page).iterdir()] == ["long-run.json"]
    fill(page, {"long-run": "python -m benchmarks.long_run"})
    assert "| | event | mark | state | run |" in page.read_text()
    assert "| last_to_first | 0.5 | 1.5 | 2.5 | 3.5 |" in page.read_text()
    (out / "long-run.json").unlink()
    before = page.read_text()
    fill(page, {"long-run": "python -m benchmarks.long_run"})
    assert page.read_text() == before
