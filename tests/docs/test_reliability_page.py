"""The page on reliability names tests that exist, and rules that can be switched off."""

import ast
import re
from pathlib import Path

import pytest

from simulation import RULES
from simulation.test_found_seeds import DROPPED, EARLIER_SHAPE, ORDER_OF_ADMISSION, PUSHED_OUT

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/reliability.md").read_text()
EXISTING = {
    node.name
    for file in (ROOT / "tests").rglob("*.py")
    for node in ast.walk(ast.parse(file.read_text()))
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
}


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`(test_\w+)`", PAGE))))
def test_a_test_that_it_names_is_there(name: str) -> None:
    assert name in EXISTING


def test_the_faults_that_a_switch_brings_back_are_those_of_the_tests() -> None:
    named = re.findall(r"\*Switch:\* ([^.]+)\.", PAGE)
    assert set(named) <= set(RULES)
    assert sorted(named) == sorted(rule.name for rule in (DROPPED, EARLIER_SHAPE, ORDER_OF_ADMISSION, PUSHED_OUT))
