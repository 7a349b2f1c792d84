"""No module of the product has a means of running code that stands in data."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = sorted(ROOT.glob("*/farandole/**/*.py"))
MEANS = frozenset(
    ("pickle", "cPickle", "_pickle", "marshal", "shelve", "dill", "cloudpickle", "jsonpickle", "joblib")
)  # fmt: skip
"""Modules that make objects of any class, or run code."""
BUILT_IN = frozenset(("eval", "exec", "compile", "__import__"))
LOADERS = frozenset(("load", "load_all", "full_load", "full_load_all", "unsafe_load", "unsafe_load_all"))
"""Of `yaml`: all but the safe ones."""


def found_in(source: str) -> Iterator[str]:
    """What of that a module has, and in which line."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Name) and node.id in BUILT_IN:
            names = [node.id]
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            names = [f"{node.value.id}.{node.attr}"]
        else:
            continue
        for name in names:
            first, _, rest = name.partition(".")
            if first in MEANS or name in BUILT_IN or first == "builtins" or (first == "yaml" and rest in LOADERS):
                yield f"{node.lineno}: {name}"


def test_there_are_modules_of_every_part() -> None:
    assert {module.relative_to(ROOT).parts[0] for module in MODULES} == {
        "agents", "cli", "dashboard", "eventstore", "projections", "reactors", "schemas", "testing"
    }  # fmt: skip


def test_no_module_runs_what_it_reads() -> None:
    found = {str(module.relative_to(ROOT)): list(found_in(module.read_text())) for module in MODULES}
    assert {module: lines for module, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    "source",
    [
        "import pickle", "import marshal as m", "from shelve import open", "import dill", "from pickle import loads",
        "eval('1')", "exec(text)", "run = eval", "yaml.load(text)", "from yaml import load", "yaml.unsafe_load(text)",
        "def later():\n    import pickle\n", "builtins.eval('1')", "__import__(name)",
    ],
)  # fmt: skip
def test_what_would_is_found(source: str) -> None:
    assert list(found_in(source))


@pytest.mark.parametrize(
    "source", ["yaml.safe_load(text)", "import json", "re.compile('a')", "store.load()", "self.exec(1)"]
)
def test_what_would_not_is_not(source: str) -> None:
    assert list(found_in(source)) == []
