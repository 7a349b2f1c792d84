"""The log lines that the pages quote are those that the sources have; … stands for what is said last."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/working.md").read_text()
PARTS = ("schemas", "eventstore", "projections", "reactors", "cli")
LEVELS = ("debug", "info", "warning", "error", "exception", "log")


def quoted() -> list[str]:
    """What the first column of the table quotes."""
    section = PAGE.partition("## The log of a worker")[2].partition("\n## ")[0]
    table = section.partition("| it says |")[2]
    rows = [line.split(" | ")[0] for line in table.splitlines() if line.startswith("| `")]
    return [line for row in rows for line in re.findall(r"`([^`]+)`", row)]


def logged() -> Iterator[str]:
    """The formats of all lines that our loggers are given."""
    for part in PARTS:
        for file in (ROOT / part).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LEVELS:
                    texts = (a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str))
                    yield from (text for text in texts if re.search(r"[a-z]{3} [a-z]", text))


FORMS = [re.compile(re.sub(r"%[sdg]", ".+", re.escape(text).replace("\\%", "%"))) for text in logged()]


def test_there_are_lines_to_compare() -> None:
    assert len(quoted()) > 10
    assert len(FORMS) > 20


@pytest.mark.parametrize("line", quoted())
def test_every_log_line_quoted_is_logged(line: str) -> None:
    assert any(form.fullmatch(line) for form in FORMS)
