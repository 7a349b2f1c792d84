"""Each finding has a program on the page that has it, and nothing else is found in that program.

<!-- check -->      a program to be looked through
<!-- finds -->      what is found in the one before it
"""

import importlib.util
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from farandole.reactors import Choreography
from farandole.reactors.graph import findings_in, graph_of
from farandole.reactors.graph.findings import FINDERS

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/checking.md").read_text()
SECTIONS = dict(re.findall(r"^### (\S+)\n(.*?)(?=^### |\Z)", PAGE, flags=re.M | re.S))
PROGRAMS = [
    pytest.param(title, program, found, id=f"{title}-{number}")
    for title, text in SECTIONS.items()
    for number, (program, found) in enumerate(
        re.findall(r"<!-- check -->\n```python\n(.*?)```\n\n<!-- finds -->\n```text\n(.*?)```", text, flags=re.S)
    )
]


def test_every_finding_has_a_section_with_a_program() -> None:
    assert {title for title, text in SECTIONS.items() if "<!-- check -->" in text} == set(FINDERS)
    assert PAGE.count("<!-- check -->") == len(PROGRAMS)


@pytest.mark.parametrize(("title", "program", "found"), PROGRAMS)
def test_what_is_said_is_found(
    title: str, program: str, found: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "program.py").write_text(program)
    spec = importlib.util.spec_from_file_location(f"program_of_{title.replace('-', '_')}", tmp_path / "program.py")
    assert spec is not None
    assert spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    declared = [value for value in vars(module).values() if isinstance(value, Choreography)]
    findings = findings_in(graph_of(*declared))
    assert title in {finding.name for finding in findings}
    assert "".join(f"{f.severity} {f.name} {f.where}: {f.text}\n  → {f.cure}\n" for f in findings) == found


def test_the_picture_on_the_page_is_that_of_the_order_program() -> None:
    drawn = (ROOT / "tests/reactors/graph/golden/a01_order.svg").read_bytes()
    assert (ROOT / "docs/pictures/orders.svg").read_bytes() == drawn
