"""Choreographies to look at: declared in a test, or the programs that the type checkers read."""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from farandole.reactors import Choreography

APPS = Path(__file__).parents[2] / "typing" / "apps"

Program = Callable[[str], Choreography]


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> Program:
    """The choreography of a program, by the program's name."""

    def load(name: str) -> Choreography:
        spec = importlib.util.spec_from_file_location(f"{name}_as_a_graph", APPS / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module: Any = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, spec.name, module)
        spec.loader.exec_module(module)
        (found,) = (value for value in vars(module).values() if isinstance(value, Choreography))
        return found

    return load
