"""The programs of tests/typing/apps, for tests that run them."""

import importlib.util
import secrets
from types import ModuleType
from typing import Any

from farandole.reactors import Choreography


def program(name: str) -> tuple[Any, Choreography]:
    """A program under a name of its own, so that no run of it meets the log of another."""
    spec = importlib.util.find_spec(f"tests.typing.apps.{name}")
    assert spec is not None
    assert spec.loader is not None
    module: ModuleType = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (choreography,) = (each for each in vars(module).values() if isinstance(each, Choreography))
    choreography.name = f"{choreography.name}_{secrets.token_hex(4)}"
    return module, choreography
